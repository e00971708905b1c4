// m += (1 - beta1) * (g - m),  v += (1 - beta2) * (g^2 - v)
// w -= rate * m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)
//
// Adam (Kingma and Ba, ICLR 2015, algorithm 1), in place; t is a lane of the clock and at least 1. beta^t is exp(x)
// with x = t * ln(beta), and near x = 0 a series keeps 1 - exp(x) from losing its digits.

struct Params {
    n: u32,
    lane: u32, // of the clock
    dial: u32, // the one that holds the rate
    beta1: f32,
    beta2: f32,
    ln_beta1: f32,
    ln_beta2: f32,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read> clock: array<u32>;
@group(0) @binding(3) var<storage, read> dials: array<f32>;
@group(0) @binding(4) var<storage, read_write> weight: array<f32>;
@group(0) @binding(5) var<storage, read_write> m: array<f32>;
@group(0) @binding(6) var<storage, read_write> v: array<f32>;

// 1 - exp(x) for x <= 0.
fn one_minus_exp(x: f32) -> f32 {
    if (x < -0.5) {
        return 1.0 - exp(max(x, -80.0));
    }
    // The series of exp up to x^8, in Horner's form.
    var sum = 1.0;
    for (var k = 8.0; k > 1.0; k -= 1.0) {
        sum = 1.0 + x / k * sum;
    }
    return -x * sum;
}

@compute @workgroup_size(64)
fn update(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let t = f32(clock[params.lane]);
    let rate = dials[params.dial] / one_minus_exp(t * params.ln_beta1);
    let root = sqrt(one_minus_exp(t * params.ln_beta2));
    for (var i = id.x; i < params.n; i += groups.x * 64u) {
        let g = gradient[i];
        let mean = m[i] + (1.0 - params.beta1) * (g - m[i]);
        let square = v[i] + (1.0 - params.beta2) * (g * g - v[i]);
        m[i] = mean;
        v[i] = square;
        weight[i] -= rate * mean / (sqrt(square) / root + params.epsilon);
    }
}
