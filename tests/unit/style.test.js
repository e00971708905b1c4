// Colours that can be told from what is behind them, in both themes (WCAG 1.4.3 and 1.4.11).

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

/** @param {string} name */
const style = (name) => readFileSync(new URL(`../../www/style/${name}.css`, import.meta.url), 'utf8');
const tokens = style('tokens');

/** @param {string} hex */
function luminance(hex) {
  const linear = (/** @type {number} */ at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(1) + 0.7152 * linear(3) + 0.0722 * linear(5);
}

/** A token in the light and in the dark. @param {string} name */
const colours = (name) => new RegExp(`--${name}: light-dark\\((#\\w{6}), (#\\w{6})\\)`).exec(tokens)?.slice(1) ?? [];

/** @param {string} front @param {string} back @param {number} least */
function assertContrast(front, back, least) {
  const behind = colours(back);
  assert.equal(behind.length, 2, back);
  colours(front).forEach((colour, theme) => {
    const [dark = 0, light = 0] = [luminance(colour), luminance(behind[theme] ?? '')].sort((a, b) => a - b);
    const contrast = (light + 0.05) / (dark + 0.05);
    assert.ok(contrast >= least, `${front} on ${back}: ${contrast.toFixed(2)}, in theme ${theme}`);
  });
}

test('words can be read, and lines that say where a control is can be seen', () => {
  for (const back of ['paper', 'raised', 'faint']) {
    for (const front of ['ink', 'soft', 'generator', 'discriminator']) assertContrast(front, back, 4.5);
    assertContrast('control', back, 3);
  }
});

test('fields, sliders and buttons with a border have such lines', () => {
  for (const [file, selector] of /** @type {const} */ ([
    ['controls', '.views button'], ['controls', "select, .field input[type='text']"], ['controls', ".field input[type='range']"], ['controls', '.keys button'],
    ['data', '.data .row button'], ['data', '#pad'], ['quality', '.quality button'], ['wishes', '.wishes-toggle'],
  ])) {
    const rule = style(file).split('\n').join(' ').split('}').find((text) => text.split('{')[0]?.trim().endsWith(selector));
    assert.match(rule ?? '', /var\(--control\)/, selector);
  }
});
