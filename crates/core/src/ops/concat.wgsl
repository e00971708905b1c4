// y[o] = a[o] followed by b[o], for rows of `left` and `both - left` words. Words are copied unseen, as integers:
// a copy as floats might flush small integers to zero.

struct Params {
    n: u32,
    left: u32,
    both: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<u32>;
@group(0) @binding(2) var<storage, read> b: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(64)
fn join(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    for (var n = id.x; n < params.n; n += groups.x * 64u) {
        let row = n / params.both;
        let column = n % params.both;
        if (column < params.left) {
            y[n] = a[row * params.left + column];
        } else {
            y[n] = b[row * (params.both - params.left) + column - params.left];
        }
    }
}
