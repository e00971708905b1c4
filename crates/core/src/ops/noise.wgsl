// Comes after random.wgsl.
//
// Y[i] = a random number that depends only on the seed, the stream, a lane of the clock, and i
//
// blur:  Y[i] = X[i] + size * (1 - min(time / steps, 1)) * that, normally distributed
//
// The counter is (block, clock lane, 0, 0) and the key (seed, stream). A thread makes whole blocks of four numbers, so
// nothing is kept between threads or steps.

struct Params {
    n: u32,
    lane: u32, // of the clock, for the counter,
    ahead: u32, // and how many ticks it is behind
    seed: u32, // the lane of the clock that holds the seed
    stream: u32,
    low: f32, // or what `blur` starts with,
    high: f32, // and when it ends
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> clock: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<f32>; // of `blur`
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

fn time() -> u32 {
    return clock[params.lane] + params.ahead;
}

fn block_of(index: u32) -> vec4u {
    return philox(vec4u(index, time(), 0u, 0u), vec2u(clock[params.seed], params.stream));
}

fn write(block: u32, values: vec4f) {
    for (var j = 0u; j < 4u && 4u * block + j < params.n; j++) {
        y[4u * block + j] = values[j];
    }
}

@compute @workgroup_size(64)
fn draw_normal(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    for (var block = id.x; 4u * block < params.n; block += groups.x * 64u) {
        let words = block_of(block);
        write(block, vec4f(normal_pair(words.x, words.y), normal_pair(words.z, words.w)));
    }
}

@compute @workgroup_size(64)
fn draw_uniform(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    for (var block = id.x; 4u * block < params.n; block += groups.x * 64u) {
        let parts = vec4f(block_of(block) >> vec4u(8u)) * UNIT;
        write(block, params.low + (params.high - params.low) * parts);
    }
}

@compute @workgroup_size(64)
fn blur(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let size = params.low * (1.0 - min(f32(time()) / params.high, 1.0));
    for (var block = id.x; 4u * block < params.n; block += groups.x * 64u) {
        let words = block_of(block);
        let values = vec4f(normal_pair(words.x, words.y), normal_pair(words.z, words.w));
        for (var j = 0u; j < 4u && 4u * block + j < params.n; j++) {
            let i = 4u * block + j;
            y[i] = x[i] + size * values[j];
        }
    }
}
