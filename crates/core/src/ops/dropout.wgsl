// Comes after epilogue.wgsl and random.wgsl.
//
// y[i] = finish(x[i] * scale where the i-th random number is at least `rate`, else 0)
//
// Random numbers as in noise.wgsl, so the mask is known wherever the clock still stands as it did.

struct Params {
    n: u32,
    lane: u32, // of the clock, for the counter,
    ahead: u32, // and how many ticks it is behind
    seed: u32, // the lane of the clock that holds the seed
    stream: u32,
    rate: f32,
    scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> clock: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn drop_some(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let time = clock[params.lane] + params.ahead;
    let key = vec2u(clock[params.seed], params.stream);
    for (var block = id.x; 4u * block < params.n; block += groups.x * 64u) {
        let numbers = vec4f(philox(vec4u(block, time, 0u, 0u), key) >> vec4u(8u)) * UNIT;
        for (var j = 0u; j < 4u && 4u * block + j < params.n; j++) {
            let at = 4u * block + j;
            y[at] = finish(select(0.0, x[at] * params.scale, numbers[j] >= params.rate), 0u, at);
        }
    }
}
