// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Writing N to /sys/module/arguments/parameters/call calls the function arguments_N. Byte K of its argument A, counted
 * from 1, is 7 N + 31 A + 5 K, modulo 256; of a flag it is 1.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "lists.h"
#include "types.h"

static void fill(void *value, size_t size, bool is_flag, int function, int argument)
{
	unsigned char *bytes = value;
	size_t k;

	for (k = 0; k < size; k++)
		bytes[k] = is_flag ? 1 : 7 * function + 31 * argument + 5 * k;
}

#define FILLED(type, number)							\
	type value##number;							\
	fill(&value##number, sizeof(type), __builtin_types_compatible_p(type, flag), function, number);
#define FUNCTION(name, result, ...)						\
	result arguments_##name(LIST(PARAMETER, __VA_ARGS__));			\
	static noinline void call_##name(int function)				\
	{									\
		EACH(FILLED, __VA_ARGS__)					\
		arguments_##name(LIST(VALUE, __VA_ARGS__));			\
	}
#include "functions.h"
#undef FUNCTION

static void (*const calls[])(int function) = {
#define FUNCTION(name, ...)	[name] = call_##name,
#include "functions.h"
};

static int set(const char *text, const struct kernel_param *parameter)
{
	unsigned int number;
	int error = kstrtouint(text, 10, &number);

	if (error)
		return error;
	if (number >= ARRAY_SIZE(calls) || !calls[number])
		return -ENOENT;
	calls[number](number);
	return 0;
}

static const struct kernel_param_ops call_ops = { .set = set };
module_param_cb(call, &call_ops, NULL, 0200);
MODULE_PARM_DESC(call, "Number of the function to call");
MODULE_DESCRIPTION("Functions with arguments of every class");
MODULE_LICENSE("Dual BSD/GPL");
