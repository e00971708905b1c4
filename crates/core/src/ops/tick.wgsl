// clock[lane] += 1
//
// One thread: there is one number to change.

struct Params {
    lane: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> clock: array<u32>;

@compute @workgroup_size(1)
fn tick() {
    clock[params.lane] += 1u;
}
