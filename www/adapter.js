// Looks for WebGPU, chooses the engine, and says why in a word of EngineReason.

/** @typedef {import('./protocol.js').EngineChoice} EngineChoice */
/** @typedef {import('./protocol.js').EngineReason} EngineReason */
/** @typedef {{engine: 'cpu'|'gpu', reason: EngineReason, name?: string}} Choice */

const SOFTWARE = /swiftshader|llvmpipe|lavapipe|microsoft basic render|software/i;

/**
 * @param {Partial<GPUAdapterInfo> & {isFallbackAdapter?: boolean}} info
 */
export function isSoftware(info) {
  if (info.isFallbackAdapter) return true;
  return SOFTWARE.test([info.vendor, info.architecture, info.device, info.description].join(' '));
}

/** As much of a name as the browser gives. @param {Partial<GPUAdapterInfo>} info */
const nameOf = ({ description, device, vendor, architecture }) =>
  description || device || [vendor, architecture].filter(Boolean).join(' ');

/**
 * @param {EngineChoice} wish
 * @param {{gpu?: GPU, secure: boolean}} platform
 * @returns {Promise<Choice>}
 */
export async function chooseEngine(wish, platform = { gpu: navigator.gpu, secure: self.isSecureContext }) {
  if (wish === 'cpu') return { engine: 'cpu', reason: 'forced-cpu' };
  if (!platform.secure) return { engine: 'cpu', reason: 'insecure' };
  if (!platform.gpu) return { engine: 'cpu', reason: 'no-api' };
  const adapter = await platform.gpu.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null);
  if (!adapter) return { engine: 'cpu', reason: 'no-adapter' };
  const name = nameOf(adapter.info);
  if (!isSoftware(adapter.info)) return { engine: 'gpu', reason: wish === 'gpu' ? 'forced-gpu' : 'gpu', name };
  return wish === 'gpu' ? { engine: 'gpu', reason: 'forced-software', name } : { engine: 'cpu', reason: 'software' };
}
