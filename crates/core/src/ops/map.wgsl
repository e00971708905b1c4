// Comes after functions.wgsl.
//
// y[i] = f(x[i]), for the functions of losses and penalties.

struct Params {
    n: u32,
}

override FUNCTION: u32; // 4 exp, 5 log, 6 square root, 7 square, 8 softplus

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    for (var i = id.x; i < params.n; i += groups.x * 64u) {
        y[i] = function_of(FUNCTION, x[i], 0.0);
    }
}
