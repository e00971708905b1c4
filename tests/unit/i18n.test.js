// Two languages, one set of strings; and the page's first words agree with them.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { strings as en } from '../../www/i18n/en.js';
import { numberOrLess, preferredLanguage, setLanguage, t } from '../../www/i18n/index.js';
import { strings as zh } from '../../www/i18n/zh.js';

/** @param {string} text */
const holes = (text) => [...text.matchAll(/\{\w+\}|\[[gd]\|/g)].map(String).sort();

test('both languages have the same keys', () => {
  assert.deepEqual(Object.keys(zh).sort(), Object.keys(en).sort());
});

test('no string is empty, and both languages fill in the same names and mark the same networks', () => {
  for (const [key, text] of Object.entries(en)) {
    const other = zh[/** @type {keyof typeof zh} */ (key)];
    assert.ok(text.trim() && other.trim(), key);
    assert.deepEqual([...new Set(holes(other))], [...new Set(holes(text))], key);
  }
});

const html = readFileSync(new URL('../../index.html', import.meta.url), 'utf8');

test('every string that the page names exists', () => {
  const named = [...html.matchAll(/data-t(?:-label|-title)?="([^"]+)"/g)].map((match) => match[1] ?? '');
  assert.ok(named.length > 30);
  for (const key of named) assert.ok(Object.hasOwn(en, key), key);
});

test('what the page says before its script runs is what the script will say', () => {
  for (const [, key = '', words = ''] of html.matchAll(/data-t="([^"]+)"[^>]*>([^<]*)</g)) {
    if (words) assert.equal(words, en[/** @type {keyof typeof en} */ (key)], key);
  }
});

test('the language is the first of the browser’s that the page speaks', () => {
  assert.equal(preferredLanguage(['fr-FR', 'zh-TW', 'en']), 'zh');
  assert.equal(preferredLanguage(['en-GB', 'zh-CN']), 'en');
  assert.equal(preferredLanguage(['zha']), 'en');
  assert.equal(preferredLanguage([]), 'en');
});

test('names are filled in; a value is not searched for further names', () => {
  setLanguage('en');
  assert.equal(t('notice.setting', { key: 'batch', value: '{message}', message: 'no' }), '“batch = {message}” was left out: no');
});

test('a number that is next to nothing is no row of zeros', () => {
  setLanguage('en');
  const three = (/** @type {number} */ value) => numberOrLess(value, 0.001, { maximumSignificantDigits: 3 });
  assert.deepEqual([2.57e-14, -1e-9, 0.00123, 0, 1234].map(three), ['< 0.001', '< 0.001', '0.00123', '0', '1,230']);
});

test('the judge has one name in Chinese', () => {
  for (const [key, text] of Object.entries(zh)) assert.doesNotMatch(text, /评审|评判(?!网络)/, key);
});
