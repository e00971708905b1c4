// Light, dark, or as the system has it; and the colours as they come out, for
// what CSS can't reach: the canvas and the charts.

/** @typedef {import('../state.js').Theme} Theme */

const probe = document.createElement('span');
probe.hidden = true;
document.documentElement.append(probe);

/** @param {Theme} theme */
export function applyTheme(theme) {
  document.documentElement.dataset.theme = theme;
}

/** @param {() => void} changed   also when the system changes its mind */
export function onSystemTheme(changed) {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed);
}

/** @param {'paper'|'ink'|'soft'|'line'|'generator'|'discriminator'|'more'|'less'} name @returns {string} rgb(…) */
export function colour(name) {
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}

/** @returns {import('../protocol.js').Look} */
export function look() {
  const packed = (/** @type {'paper'|'ink'} */ name) => {
    const [r = 0, g = 0, b = 0] = (colour(name).match(/[\d.]+/g) ?? []).map(Number);
    return (r << 16) | (g << 8) | b;
  };
  return { paper: packed('paper'), ink: packed('ink') };
}
