// The one importer of the clinic's wasm package: the judge with its weights.

import weightsUrl from '../../crates/core/src/judge/weights.safetensors?url';
import init, { Clinic, School } from './pkg/digit_forge_clinic.js';

export { School };

/** @param {string | URL} url */
async function fetched(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Fetches the module and the weights. @returns {Promise<() => Clinic>} which opens a clinic */
export async function openJudge() {
  const [weights] = await Promise.all([
    fetched(new URL(weightsUrl, import.meta.url)),
    init({ module_or_path: new URL('./pkg/digit_forge_clinic_bg.wasm', import.meta.url) }),
  ]);
  return () => Clinic.open(weights);
}
