/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#define STRINGIFY_EXPANDED(...) #__VA_ARGS__
#define __stringify(...) STRINGIFY_EXPANDED(__VA_ARGS__)
