/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM kbtf_test

#if !defined(KBTF_TEST_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define KBTF_TEST_TRACE_H

#include <linux/tracepoint.h>

#include "kbtf_test.h"

TRACE_EVENT(kbtf_test_moved,
	TP_PROTO(const struct kbtf_test_item *item, u64 sum, short step),
	TP_ARGS(item, sum, step),
	TP_STRUCT__entry(
		__field(u32, id)
		__field(u64, sum)
		__field(short, step)
	),
	TP_fast_assign(
		__entry->id = item->id;
		__entry->sum = sum;
		__entry->step = step;
	),
	TP_printk("id=%u sum=%llu step=%d", __entry->id, __entry->sum, __entry->step)
);

#endif

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE kbtf_test_trace
#include <trace/define_trace.h>
