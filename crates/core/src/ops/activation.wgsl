// Comes after functions.wgsl.
//
// y[i] = f(x[i])

struct Params {
    n: u32,
}

override ACTIVATION: u32; // 1 leaky ReLU, 2 tanh, 3 sigmoid
override SLOPE: f32 = 0.0;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    for (var i = id.x; i < params.n; i += groups.x * 64u) {
        y[i] = function_of(ACTIVATION, x[i], SLOPE);
    }
}
