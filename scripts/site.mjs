// The static site in dist/, bundled by Vite unless nothing it is made of has changed.

import { digest, isFresh, markFresh } from './freshness.mjs';
import { root } from './places.mjs';

const inputs = ['index.html', 'example.html', 'vite.config.js', 'package-lock.json', 'www', 'public'];

/** @returns {Promise<string>} */
export async function buildSite() {
  const now = digest(inputs);
  if (isFresh('site', now, ['dist/index.html', 'dist/element.js', 'dist/data/mnist/manifest.json'])) return 'unchanged, in dist/';
  // Only here, because it exists only once the packages are installed.
  const { build } = await import('vite');
  await build({ root, logLevel: 'warn' });
  markFresh('site', now);
  return 'in dist/';
}
