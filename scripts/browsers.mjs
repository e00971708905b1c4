// What the tests drive: Chromium with its driver, Firefox, a Vulkan driver in software (lavapipe), a Chinese font.

import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Explained } from './command.mjs';
import { installPackages, onDebian } from './debian.mjs';

const packages = ['chromium', 'chromium-driver', 'firefox-esr', 'mesa-vulkan-drivers', 'libvulkan1', 'fonts-noto-cjk'];

/** @param {...string} names @returns {string | undefined} the first that is on PATH */
function program(...names) {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((file) => existsSync(file));
}

/** Lavapipe's description for Vulkan's loader; its name carries the machine's architecture in some versions. */
function lavapipe() {
  const folder = '/usr/share/vulkan/icd.d';
  const name = existsSync(folder) ? readdirSync(folder).find((file) => file.startsWith('lvp_icd')) : undefined;
  return name && join(folder, name);
}

/** Where they are: each path may also be given in the environment variable of the same name. */
export function findBrowsers() {
  return {
    CHROMIUM: process.env.CHROMIUM ?? program('chromium', 'chromium-browser', 'google-chrome'),
    CHROMEDRIVER: process.env.CHROMEDRIVER ?? program('chromedriver'),
    FIREFOX: process.env.FIREFOX ?? program('firefox-esr', 'firefox'),
    VK_ICD_FILENAMES: process.env.VK_ICD_FILENAMES ?? lavapipe(),
  };
}

/** @returns {Promise<string>} */
export async function ensureBrowsers() {
  const installed = onDebian() ? await installPackages(packages, 'run the tests') : [];
  const missing = Object.entries(findBrowsers()).filter(([, path]) => !path || !existsSync(path));
  if (missing.length) {
    throw new Explained(
      `The tests need these, each in the environment variable of that name: ${missing.map(([name]) => name).join(', ')}.\n` +
        `On Debian:  sudo apt-get install ${packages.join(' ')}`,
    );
  }
  return installed.length ? `installed ${installed.join(', ')}` : 'present';
}
