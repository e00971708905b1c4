// Comes after optimizers.wgsl.
//
// m += (1 - beta1) * (g - m),  v += (1 - beta2) * (g^2 - v)
// w = (1 - rate * decay) * w - rate * m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)
//
// Adam (Kingma and Ba, ICLR 2015, algorithm 1) and its relatives, in place; t is a lane of the clock and at least 1. beta^t
// is exp(x) with x = t * ln(beta).

struct Params {
    n: u32,
    lane: u32, // of the clock
    dial: u32, // the one that holds the rate
    beta1: f32,
    beta2: f32,
    ln_beta1: f32,
    ln_beta2: f32,
    epsilon: f32,
    decay: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read> clock: array<u32>;
@group(0) @binding(3) var<storage, read> dials: array<f32>;
@group(0) @binding(4) var<storage, read_write> weight: array<f32>;
@group(0) @binding(5) var<storage, read_write> m: array<f32>;
@group(0) @binding(6) var<storage, read_write> v: array<f32>;

@compute @workgroup_size(64)
fn update(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let t = f32(clock[params.lane]);
    let rate = dials[params.dial] / one_minus_exp(t * params.ln_beta1);
    let unbias = 1.0 / sqrt(one_minus_exp(t * params.ln_beta2));
    let shrink = 1.0 - dials[params.dial] * params.decay;
    for (var i = id.x; i < params.n; i += groups.x * 64u) {
        let betas = vec2f(params.beta1, params.beta2);
        let old = Learnt(vec4f(weight[i]), vec4f(m[i]), vec4f(v[i]));
        let next = adam(old, vec4f(gradient[i]), betas, rate, unbias, shrink, params.epsilon);
        weight[i] = next.weight.x;
        m[i] = next.first.x;
        v[i] = next.second.x;
    }
}
