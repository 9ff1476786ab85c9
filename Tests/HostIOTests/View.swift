// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes

func view(_ text: String) -> ByteView { ByteView(Array(text.utf8)) }
