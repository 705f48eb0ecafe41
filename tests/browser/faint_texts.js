// The texts in sight whose contrast (WCAG 2) with what lies behind them is below `least`.
(least) => {
  const rgba = (text) => {
    const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
    // color(srgb …) counts to 1, rgb(…) to 255.
    return text.startsWith("color(") ? [r * 255, g * 255, b * 255, a] : [r, g, b, a];
  };
  const over = (front, back) => [0, 1, 2].map((i) => front[i] * front[3] + back[i] * (1 - front[3]));
  const luminance = (colour) => {
    const linear = colour.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    // Icons are letters of a font; they need less contrast and have labels.
    if (!text || element.closest('script, style, [data-testid="stIconMaterial"]')) continue;
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    const own = element.getBoundingClientRect();
    if (own.width < 2) continue;
    let back = [255, 255, 255];
    let opacity = 1;
    const around = [];
    for (let each = element; each; each = each.parentElement) around.unshift(each);
    for (const each of around) {
      const style = getComputedStyle(each);
      const box = each.getBoundingClientRect();
      // The figure above the knob of a slider belongs to it and does not lie on it.
      if (box.width >= own.width || box.height >= own.height) back = over(rgba(style.backgroundColor), back);
      opacity *= Number(style.opacity);
    }
    const [r, g, b, a] = rgba(getComputedStyle(element).color);
    const [light, dark] = [luminance(over([r, g, b, a * opacity], back)), luminance(back)].sort((x, y) => y - x);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < least) faint.push(`${text.slice(0, 40)}: ${contrast.toFixed(2)}`);
  }
  return faint;
};
