// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <linux/compiler.h>

#include "lists.h"
#include "types.h"

#define KEEP(type, number)	asm volatile("" : : "m"(value##number));
#define FUNCTION(name, result, ...)						\
	result arguments_##name(LIST(PARAMETER, __VA_ARGS__));			\
	noinline result arguments_##name(LIST(PARAMETER, __VA_ARGS__))		\
	{									\
		static result zero;						\
										\
		EACH(KEEP, __VA_ARGS__)						\
		asm volatile("" : "+m"(zero));					\
		return zero;							\
	}
#include "functions.h"
