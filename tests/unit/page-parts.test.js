// Small parts of the page that can be wrong by one: pixels, sliders, keys.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionFor, KEYS } from '../../www/keyboard.js';
import { CELL, composeGrid } from '../../www/paint.js';
import { topOf } from '../../www/views/bars.js';
import { placeOf, sliderStops } from '../../www/views/slider.js';

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

test('a slider leads through numbers of two digits, from one end to the other', () => {
  const rates = sliderStops({ min: 1e-6, max: 1, log: true, kind: 'number', default: '0.004' });
  assert.deepEqual([rates[0], rates[1], rates.at(-1)], [1e-6, 1.1e-6, 1]);
  assert.equal(rates[placeOf(rates, 0.004) + 1], 0.0041);
  const batch = sliderStops({ min: 1, max: 1024, kind: 'integer', default: '16' });
  assert.deepEqual([...batch.slice(0, 3), ...batch.slice(97, 101), ...batch.slice(-2)], [1, 2, 3, 98, 99, 100, 110, 1000, 1024]);
  assert.deepEqual(sliderStops({ min: 1, max: 3, kind: 'integer', default: '1' }), [1, 2, 3]);
});

test('a slider of a number from 0 on has small values as well as large ones', () => {
  const penalty = sliderStops({ min: 0, max: 100, kind: 'number', default: '0' });
  for (const value of [0, 0.1, 1, 9.9, 10, 11, 100]) assert.ok(penalty.includes(value), String(value));
  assert.equal(sliderStops({ min: 0, max: 1, kind: 'number', default: '0.01' })[1], 0.001);
  assert.deepEqual(sliderStops({ min: 0, max: 0.5, kind: 'number', default: '0' }).slice(-2), [0.49, 0.5]);
});

test('a memory’s slider counts how far it is from 1', () => {
  const average = sliderStops({ min: 0, max: 0.9999, kind: 'number', default: '0.995' });
  for (const value of [0, 0.5, 0.99, 0.995, 0.999, 0.9999]) assert.ok(average.includes(value), String(value));
  const place = placeOf(average, 0.999);
  assert.deepEqual(average.slice(place - 1, place + 2), [0.9989, 0.999, 0.99901]);
  assert.equal(average.at(-1), 0.9999);
});

test('a value between two stops stands at the nearer one', () => {
  assert.deepEqual([-1, 0, 0.4, 0.6, 2, 9].map((value) => placeOf([0, 1, 2], value)), [0, 0, 0, 1, 2, 2]);
});

test('the scale of the bars of digits read shows who takes all', () => {
  assert.equal(topOf([]), 0.2);
  assert.equal(topOf(Array(10).fill(0.1)), 0.2);
  assert.equal(topOf([0.21, 0.79]), 1);
  assert.equal(topOf([0.5, 0.3, 0.2]), 0.5);
  assert.equal(topOf([0, 1]), 1);
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
