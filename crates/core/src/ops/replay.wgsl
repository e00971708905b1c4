// Comes after random.wgsl.
//
// Row i of y is row i of x, or an older one from the pool, whose place x's row then takes: see replay.rs.
//
// pool is [slots, rows, columns]. Words are copied as they are. A workgroup has one row.

struct Params {
    rows: u32,
    columns: u32,
    slots: u32,
    lane: u32, // of the clock: how many batches there were, with this one,
    ahead: u32, // less the ticks that it is behind
    seed: u32, // the lane of the clock that holds the seed
    stream: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read> clock: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<u32>;
@group(0) @binding(4) var<storage, read_write> pool: array<u32>;

@compute @workgroup_size(64)
fn replay(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let row = group.x;
    let time = clock[params.lane] + params.ahead;
    let words = philox(vec4u(row, time, 0u, 0u), vec2u(clock[params.seed], params.stream));
    let filling = time <= params.slots;
    let slot = select(words.x, time - 1u, filling) % params.slots;
    let swaps = !filling && words.y < 0x80000000u;
    for (var i = local.x; i < params.columns; i += 64u) {
        let at = row * params.columns + i;
        let kept = slot * params.rows * params.columns + at;
        let fresh = x[at];
        y[at] = fresh;
        if (swaps) {
            y[at] = pool[kept];
        }
        if (filling || swaps) {
            pool[kept] = fresh;
        }
    }
}
