// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// What a browser has made of a page of `kbtf size --html`: its parts, and what is wrong with their places and colours.
(() => {
  const faults = [];
  // Coordinates are written in tenths.
  const near = 0.16;
  const name = (group) => group.querySelector("title").textContent;
  const place = (element) => {
    const { x, y, width, height } = element.getBBox();
    return { x, y, right: x + width, bottom: y + height };
  };
  const inside = (a, b) =>
    a.x >= b.x - near && a.y >= b.y - near && a.right <= b.right + near && a.bottom <= b.bottom + near;
  const apart = (a, b) =>
    a.right <= b.x + near || b.right <= a.x + near || a.bottom <= b.y + near || b.bottom <= a.y + near;

  const svg = document.querySelector("svg");
  const view = svg.viewBox.baseVal;
  const whole = { x: view.x, y: view.y, right: view.x + view.width, bottom: view.y + view.height };
  const groups = [...svg.querySelectorAll("g")].map((group) => ({
    group,
    rectangle: place(group.querySelector("rect")),
    text: group.querySelector("text"),
    parts: 0,
  }));
  groups.forEach((one, index) => {
    // The group that it is a part of is the last one before it that it lies in.
    const parent = groups.slice(0, index).findLast(
      (other) => other.group.classList.contains("group") && inside(one.rectangle, other.rectangle));
    if (parent) parent.parts += 1;
    if (!inside(one.rectangle, whole)) faults.push(`outside the map: ${name(one.group)}`);
    one.parent = parent;
    for (const other of groups.slice(0, index)) {
      const isAround = other.group.classList.contains("group") && inside(one.rectangle, other.rectangle);
      if (!isAround && !apart(one.rectangle, other.rectangle))
        faults.push(`${name(one.group)} overlaps ${name(other.group)}`);
    }
  });
  let labels = 0;
  for (const one of groups) {
    if (one.group.classList.contains("group") && !one.parts) faults.push(`a group without parts: ${name(one.group)}`);
    if (!one.text) continue;
    labels += 1;
    const text = place(one.text);
    if (!inside(text, one.rectangle)) faults.push(`the label leaves its box: ${name(one.group)}`);
    for (const other of groups)
      if (other.parent === one && !apart(text, other.rectangle))
        faults.push(`the label of ${name(one.group)} lies on ${name(other.group)}`);
  }

  // Contrast as in WCAG 2: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
  const colour = (text) => text.match(/[\d.]+/g).map(Number);
  const over = (front, alpha, back) => front.slice(0, 3).map((value, i) => value * alpha + back[i] * (1 - alpha));
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (light + 0.05) / (dark + 0.05);
  };
  const page = colour(getComputedStyle(document.body).backgroundColor);
  const ink = colour(getComputedStyle(document.body).color);
  let least = contrast(ink, page);
  for (const one of groups.filter((g) => g.text)) {
    const style = getComputedStyle(one.group.querySelector("rect"));
    let back = page;
    for (let around = one.parent, chain = []; ; around = around.parent) {
      if (around) chain.unshift(around);
      else {
        for (const each of chain) {
          const own = getComputedStyle(each.group.querySelector("rect"));
          back = over(colour(own.fill), Number(own.fillOpacity), back);
        }
        break;
      }
    }
    back = over(colour(style.fill), Number(style.fillOpacity), back);
    least = Math.min(least, contrast(colour(getComputedStyle(one.text).fill), back));
  }
  if (least < 4.5) faults.push(`text with a contrast of ${least.toFixed(2)}`);

  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) faults.push(`wider than its window: ${root.scrollWidth} pixels`);
  for (const table of document.querySelectorAll("table")) {
    const widths = new Set([...table.rows].map((row) => row.cells.length));
    if (widths.size !== 1 || table.rows.length < 2) faults.push(`a ragged or empty table: ${table.caption.textContent}`);
  }
  const kinds = [...new Set(groups.map((g) => g.group.classList[0]))].sort();
  const legend = [...document.querySelectorAll("figcaption .swatch")].map((s) => s.classList[1]).sort();
  if (kinds.filter((kind) => kind !== "file").join() !== legend.join()) faults.push(`legend ${legend}, map ${kinds}`);
  return {
    title: document.title, mode: document.compatMode, faults: faults.slice(0, 20), page, contrast: least,
    boxes: groups.length, labels, groups: groups.filter((g) => g.parts).map((g) => name(g.group)),
    tables: [...document.querySelectorAll("caption")].map((c) => c.textContent),
    scripts: document.scripts.length, files: document.querySelectorAll("[src],link").length,
  };
})();
