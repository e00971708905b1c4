// Comes after optimizers.wgsl.
//
// average += (1 - d) * (w - average),  d = min(decay, (t + 1) / (t + 10))
//
// In place; t counts the updates before this one, so a lane of the clock is t + 1 and at least 1.

struct Params {
    n: u32,
    lane: u32, // of the clock
    decay: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> clock: array<u32>;
@group(0) @binding(3) var<storage, read_write> average: array<f32>;

@compute @workgroup_size(64)
fn update(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let step = following(f32(clock[params.lane]), params.decay);
    for (var i = id.x; i < params.n; i += groups.x * 64u) {
        average[i] += step * (weight[i] - average[i]);
    }
}
