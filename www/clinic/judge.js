// The one importer of the clinic's wasm package: the judge with its weights.

import weightsUrl from '../../crates/core/src/judge/weights.safetensors?url';
import init, { Clinic, School } from './pkg/digit_forge_clinic.js';

/** With a judge of these weights, once the module is there. @param {Uint8Array} weights */
export const clinicOf = (weights) => Clinic.open(weights);

/** Where a judge is taught, once the module is there. @param {number} seed @param {number} steps @param {number} images */
export const openSchool = (seed, steps, images) => School.open(seed, steps, images);

/** @param {string | URL} url */
async function fetched(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Fetches the module and the pinned weights. @returns {Promise<Clinic>} */
export async function openClinic() {
  const [weights] = await Promise.all([
    fetched(new URL(weightsUrl, import.meta.url)),
    init({ module_or_path: new URL('./pkg/digit_forge_clinic_bg.wasm', import.meta.url) }),
  ]);
  return clinicOf(weights);
}
