// Comes after epilogue.wgsl.
//
// upsample:  y[b, r, c, :] = scale * x[b, r / factor, c / factor, :]
// pool:      y[b, r, c, :] = finish(scale * (sum of the factor² values x[b, r * factor + i, c * factor + j, :]))
//
// A thread has one value of y. Width and channels are those of y.

struct Params {
    n: u32,
    width: u32,
    channels: u32,
    factor: u32,
    scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn upsample(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let f = params.factor;
    for (var n = id.x; n < params.n; n += groups.x * 64u) {
        let i = n % params.channels;
        let column = n / params.channels % params.width;
        let row = n / params.channels / params.width; // of all images, one below another
        y[n] = params.scale * x[(row / f * (params.width / f) + column / f) * params.channels + i];
    }
}

@compute @workgroup_size(64)
fn pool(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let f = params.factor;
    for (var n = id.x; n < params.n; n += groups.x * 64u) {
        let i = n % params.channels;
        let column = n / params.channels % params.width;
        let row = n / params.channels / params.width;
        var sum = 0.0;
        for (var t = 0u; t < f * f; t++) {
            let at = (row * f + t / f) * params.width * f + column * f + t % f;
            sum += x[at * params.channels + i];
        }
        y[n] = finish(params.scale * sum, i, n);
    }
}
