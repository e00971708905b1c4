// Small parts of the page that can be wrong by one: pixels, sliders, keys.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionFor, KEYS } from '../../www/keyboard.js';
import { CELL, composeGrid } from '../../www/paint.js';
import { sliderScale } from '../../www/views/slider.js';

test('ink lands in its cell, one pixel from the edge, in the colours asked for', () => {
  const images = new Uint8Array(20 * 784);
  images[11 * 784] = 255; // second row, second column, first pixel
  const pixels = composeGrid(images, 28, 2, 10, { paper: 0x102030, ink: 0xf0e0d0 });
  const width = 10 * CELL;
  assert.equal(pixels.length, 4 * width * 2 * CELL);
  const at = 4 * ((CELL + 1) * width + CELL + 1);
  assert.deepEqual([...pixels.subarray(at, at + 4)], [0xf0, 0xe0, 0xd0, 255]);
  assert.deepEqual([...pixels.subarray(at - 4, at)], [0x10, 0x20, 0x30, 255]);
  assert.equal(pixels.filter((v) => v === 0xf0).length, 1);
});

test('a slider goes to its ends and back, on a logarithmic scale too', () => {
  const rate = sliderScale({ min: 1e-5, max: 1, log: true, kind: 'number' });
  assert.equal(rate.value(0), 1e-5);
  assert.equal(rate.value(1), 1);
  assert.ok(Math.abs(rate.place(rate.value(0.4)) - 0.4) < 0.01);
  const batch = sliderScale({ min: 1, max: 256, log: true, kind: 'integer' });
  assert.equal(batch.value(0.5), 16);
  const lambda = sliderScale({ min: 0, max: 10, kind: 'number' });
  assert.equal(lambda.value(0.25), 2.5);
  assert.equal(lambda.place(2.5), 0.25);
});

const press = (/** @type {string} */ key, more = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, defaultPrevented: false, repeat: false, ...more });

test('every key has one meaning', () => {
  assert.equal(new Set(KEYS.map(({ key }) => key)).size, KEYS.length);
  assert.equal(new Set(KEYS.map(({ action }) => action)).size, KEYS.length);
});

test('keys act, but not while typing, with modifiers, or on a focused button', () => {
  assert.equal(actionFor(press(' '), 'BODY'), 'toggle');
  assert.equal(actionFor(press('S'), 'BUTTON'), 'step');
  assert.equal(actionFor(press(' '), 'BUTTON'), null);
  assert.equal(actionFor(press('s'), 'INPUT'), null);
  assert.equal(actionFor(press('Escape'), 'INPUT'), 'close');
  assert.equal(actionFor(press('r', { ctrlKey: true }), 'BODY'), null);
  assert.equal(actionFor(press('r', { metaKey: true }), 'BODY'), null);
});

test('a held key repeats steps only', () => {
  assert.equal(actionFor(press('s', { repeat: true }), 'BODY'), 'step');
  assert.equal(actionFor(press('r', { repeat: true }), 'BODY'), null);
});
