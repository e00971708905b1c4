// Chromium, headless, with WebGPU in software, or on the machine's own adapter.

import { chromium } from 'playwright-core';
import { findBrowsers } from '../../scripts/browsers.mjs';

const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];
const webgpu = ['--enable-unsafe-webgpu'];
const vulkan = ['--enable-features=Vulkan', '--use-angle=vulkan', '--disable-vulkan-surface'];
const adapters = {
  swiftshader: ['--use-webgpu-adapter=swiftshader'],
  // On Linux WebGPU stays off a GPU unless Chromium uses Vulkan, which without a screen has no surface.
  any: ['--ignore-gpu-blocklist', '--enable-gpu', ...(process.platform === 'linux' ? vulkan : [])],
};
// Without a GPU the page is put together in software, and then Chromium has no kind of texture that SwiftShader could
// draw on and the page could show ("Could not find SharedImageBackingFactory"): the first picture on a canvas costs the
// device. These make it put the page together on SwiftShader, too. Where there is a GPU, both use it.
const presenting = [
  '--enable-features=Vulkan', '--use-vulkan=swiftshader', '--use-angle=swiftshader', '--enable-unsafe-swiftshader',
  '--ignore-gpu-blocklist', '--enable-gpu',
];

/** A name of this machine that browsers don't trust, as they do localhost. */
export const insecureHost = 'forge.example';
const names = `--host-resolver-rules=MAP ${insecureHost} 127.0.0.1`;

/** @param {{ presents?: boolean, adapter?: keyof typeof adapters }} [options]   presents: a WebGPU canvas works */
export function launchChromium({ presents = false, adapter = 'swiftshader' } = {}) {
  const { CHROMIUM } = findBrowsers();
  if (!CHROMIUM) throw new Error('Chromium is missing; `npm test` installs it, or name it in CHROMIUM');
  const args = ['--no-sandbox', names, ...quiet, ...webgpu, ...adapters[adapter], ...(presents ? presenting : [])];
  return chromium.launch({ executablePath: CHROMIUM, args });
}
