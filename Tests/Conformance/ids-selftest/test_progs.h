/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* As much of a test runner as the kernel's prog_tests/resolve_btfids.c needs. */
#include <stdbool.h>
#include <stdio.h>

static int failures;

#define PRINT_FAIL(...) (failures++, fprintf(stderr, __VA_ARGS__))
#define CHECK(is_wrong, tag, ...) \
	({ int wrong = !!(is_wrong); if (wrong) PRINT_FAIL(__VA_ARGS__); wrong; })
#define ASSERT_TRUE(right, what) \
	({ int is_right = !!(right); if (!is_right) PRINT_FAIL("%s\n", what); is_right; })
#define ASSERT_LE(one, other, what) ASSERT_TRUE((one) <= (other), what)
#define ASSERT_EQ(one, other, what) ASSERT_TRUE((one) == (other), what)
#define ASSERT_OK_PTR(pointer, what) ASSERT_TRUE(pointer, what)

void test_resolve_btfids(void);

int main(void)
{
	test_resolve_btfids();
	return failures != 0;
}
