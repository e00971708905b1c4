// y[i] = f(x[i]), for the functions of losses and penalties.

struct Params {
    n: u32,
}

override FUNCTION: u32; // 0 exp, 1 log, 2 square root, 3 square, 4 softplus

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn function(x: f32) -> f32 {
    switch FUNCTION {
        case 0u: { return exp(x); }
        case 1u: { return log(x); }
        case 2u: { return sqrt(x); }
        case 3u: { return x * x; }
        // ln(1 + e^x) without overflow. Where e^-|x| is small its logarithm's series is more exact than log(1 + e).
        default: {
            let e = exp(-abs(x));
            return max(x, 0.0) + select(log(1.0 + e), e - 0.5 * e * e, e < 1e-3);
        }
    }
}

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    for (var i = id.x; i < params.n; i += groups.x * 64u) {
        y[i] = function(x[i]);
    }
}
