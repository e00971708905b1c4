// Comes after optimizers.wgsl.
//
// velocity = momentum * velocity + g,  w -= rate * velocity
//
// Stochastic gradient descent with momentum (Polyak's heavy ball, 1964), in place; without momentum it is the plain
// one.

struct Params {
    n: u32,
    dial: u32, // the one that holds the rate
    momentum: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read> dials: array<f32>;
@group(0) @binding(3) var<storage, read_write> weight: array<f32>;
@group(0) @binding(4) var<storage, read_write> velocity: array<f32>;

@compute @workgroup_size(64)
fn update(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let rate = dials[params.dial];
    for (var i = id.x; i < params.n; i += groups.x * 64u) {
        let old = Learnt(vec4f(weight[i]), vec4f(velocity[i]), vec4f());
        let next = momentum(old, vec4f(gradient[i]), params.momentum, rate);
        weight[i] = next.weight.x;
        velocity[i] = next.first.x;
    }
}
