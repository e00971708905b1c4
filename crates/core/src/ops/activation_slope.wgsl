// Comes after functions.wgsl.
//
// dx[i] = dy[i] * f'(x[i]), with the slope read off y = f(x):
//   leaky ReLU: 1 or SLOPE by the sign of y;  tanh: 1 - y^2;  sigmoid: y (1 - y)

struct Params {
    n: u32,
}

override ACTIVATION: u32; // 1 leaky ReLU, 2 tanh, 3 sigmoid
override SLOPE: f32 = 0.0;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    for (var i = id.x; i < params.n; i += groups.x * 64u) {
        dx[i] = dy[i] * slope_of(ACTIVATION, y[i], SLOPE);
    }
}
