// ring[(t - 1) % rows] = t, a, b, c, d, where t is a lane of the clock
//
// The values pass through as words, so that a NaN arrives as it left and t is kept exactly. A value past `count` is 0.
// One thread writes the row.

struct Params {
    lane: u32,
    rows: u32,
    count: u32, // values, 0 to 4; the bindings past it hold anything
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> clock: array<u32>;
@group(0) @binding(2) var<storage, read> a: array<u32>; // [1], as the next three
@group(0) @binding(3) var<storage, read> b: array<u32>;
@group(0) @binding(4) var<storage, read> c: array<u32>;
@group(0) @binding(5) var<storage, read> d: array<u32>;
@group(0) @binding(6) var<storage, read_write> ring: array<u32>; // [rows, 5]

@compute @workgroup_size(1)
fn log_row() {
    let t = clock[params.lane];
    let values = vec4u(a[0], b[0], c[0], d[0]);
    let start = ((t - 1u) % params.rows) * 5u;
    ring[start] = t;
    for (var i = 0u; i < 4u; i++) {
        ring[start + 1u + i] = select(0u, values[i], i < params.count);
    }
}
