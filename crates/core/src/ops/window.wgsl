// slice:  y[o, j, i] = x[o, start + j, i]        for j < narrow
// pad:    y[o, start + j, i] = x[o, j, i]        and zeros elsewhere along the axis, for the axis' full extent `wide`

struct Params {
    n: u32,
    inner: u32,
    wide: u32,
    narrow: u32,
    start: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>; // words, as they are: integers might not survive as floats
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(64)
fn slice(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    for (var n = id.x; n < params.n; n += groups.x * 64u) {
        let i = n % params.inner;
        let j = n / params.inner % params.narrow;
        let o = n / params.inner / params.narrow;
        y[n] = x[(o * params.wide + params.start + j) * params.inner + i];
    }
}

@compute @workgroup_size(64)
fn pad(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    for (var n = id.x; n < params.n; n += groups.x * 64u) {
        let i = n % params.inner;
        let j = n / params.inner % params.wide;
        let o = n / params.inner / params.wide;
        let inside = j >= params.start && j < params.start + params.narrow;
        let source = (o * params.narrow + min(j - min(j, params.start), params.narrow - 1u)) * params.inner + i;
        y[n] = select(0u, x[source], inside);
    }
}
