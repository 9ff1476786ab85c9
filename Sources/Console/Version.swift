// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// The version of kbtf and kbtf-vm. `make install` writes it into the manual pages.
package let version = "0.1.0"
