// What a person sees while the steps run: one line when a step starts, one with its seconds when it ends.

const colour = process.stdout.isTTY && !process.env.NO_COLOR;

/** @param {number} code @returns {(text: string) => string} */
const paint = (code) => (text) => (colour ? `\x1b[${code}m${text}\x1b[0m` : text);
export const bold = paint(1);
export const dim = paint(2);
export const red = paint(31);
export const green = paint(32);

/** @param {number} ms */
export const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

/** @param {number} bytes */
export const size = (bytes) => (bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(2)} MB`);

/** @param {string} text a detail of the step that is running */
export const say = (text) => console.log(`  ${text}`);

/** @param {string} label */
export const began = (label) => console.log(`${bold('▸')} ${label}`);

/** @param {string} label @param {string} outcome @param {number} ms */
export const ended = (label, outcome, ms) => console.log(`${green('✓')} ${label}: ${outcome} ${dim(seconds(ms))}`);

/** @param {string} label @param {number} ms */
export const broke = (label, ms) => console.log(`${red('✗')} ${label} failed ${dim(seconds(ms))}`);
