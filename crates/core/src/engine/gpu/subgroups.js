// Subgroups for a device. wgpu doesn't know yet that a browser can have them, so it doesn't ask for them.

/** @type {GPUAdapter['requestDevice'] | null} */
let plain = null;
let granted = false;

/** From here on whoever asks an adapter for a device also asks for subgroups, where there are any. */
export function insist() {
  const request = GPUAdapter.prototype.requestDevice;
  plain = request;
  granted = false;
  GPUAdapter.prototype.requestDevice = function (descriptor) {
    granted = this.features.has('subgroups');
    const features = [...(descriptor?.requiredFeatures ?? []), ...(granted ? ['subgroups'] : [])];
    return request.call(this, { ...descriptor, requiredFeatures: /** @type {GPUFeatureName[]} */ (features) });
  };
}

/** Up to here; whether the last device has them. */
export function relent() {
  if (plain) GPUAdapter.prototype.requestDevice = plain;
  plain = null;
  return granted;
}
