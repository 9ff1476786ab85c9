# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""page.py CHROMIUM PAGE [SCREENSHOT]: looks at a page of `kbtf size --html` in Chromium, light and dark, in windows of
three widths, without scripts and without a network. Prints what was found, and exits with 1 if something is wrong."""

import os
import sys

from browser import Browser

WIDTHS = (400, 1280, 1800)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    program, page = sys.argv[1], os.path.abspath(sys.argv[2])
    script = open(os.path.join(here, "page.js")).read()
    faults, pages = [], {}
    with open(page + ".log", "wb") as log:
        browser = Browser(program, log)
        try:
            for scheme in ("light", "dark"):
                for width in WIDTHS:
                    browser.look(width, 1000, scheme)
                    browser.open(page)
                    requests = [url for url in browser.requests() if url != "file://" + page]
                    found = browser.evaluate(script)
                    where = f"{scheme}, {width} pixels"
                    faults += [f"{where}: asked for {url}" for url in requests]
                    faults += [f"{where}: {text}" for text in browser.complaints() + found["faults"]]
                    if found["scripts"] or found["files"] or found["mode"] != "CSS1Compat" or not found["labels"]:
                        faults.append(f"{where}: {found}")
                    pages[scheme, width] = found
            if len(sys.argv) > 3:
                browser.look(1180, 860, "light")
                browser.open(page)
                browser.screenshot(sys.argv[3])
        finally:
            browser.close()
    # The same in all of them but for colours.
    one = pages["light", WIDTHS[0]]
    for where, found in pages.items():
        for key in ("title", "boxes", "labels", "groups", "tables"):
            if found[key] != one[key]:
                faults.append(f"{where}: other {key} than {one[key]}: {found[key]}")
    if sum(pages["light", 1280]["page"]) <= sum(pages["dark", 1280]["page"]):
        faults.append("the dark page is not darker")
    contrast = min(found["contrast"] for found in pages.values())
    print(
        f"{one['boxes']} boxes, {one['labels']} labels, {len(one['groups'])} groups, {len(one['tables'])} tables,"
        f" least contrast {contrast:.1f}"
    )
    for fault in faults[:20]:
        print(fault)
    return 1 if faults else 0


sys.exit(main())
