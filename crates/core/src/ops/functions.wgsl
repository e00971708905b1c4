// The functions of one value that operations share. Codes: 0 none, 1 leaky ReLU, 2 tanh, 3 sigmoid, 4 exp, 5 log,
// 6 square root, 7 square, 8 softplus. `leak` is the leaky ReLU's slope below zero.
//
// The inputs of tanh and of the sigmoid's exp are clamped: some drivers overflow to NaN where the true value is 1.

fn function_of(code: u32, x: f32, leak: f32) -> f32 {
    switch code {
        case 1u: { return select(leak * x, x, x > 0.0); }
        case 2u: { return tanh(clamp(x, -15.0, 15.0)); }
        case 3u: { return 1.0 / (1.0 + exp(-clamp(x, -80.0, 80.0))); }
        case 4u: { return exp(x); }
        case 5u: { return log(x); }
        case 6u: { return sqrt(x); }
        case 7u: { return x * x; }
        case 8u: { return softplus(x); }
        default: { return x; }
    }
}

// ln(1 + e^x) without overflow. Where e^-|x| is small its logarithm's series is more exact than log(1 + e).
fn softplus(x: f32) -> f32 {
    let e = exp(-abs(x));
    return max(x, 0.0) + select(log(1.0 + e), e - 0.5 * e * e, e < 1e-3);
}

// The slope of an activation (codes 1 to 3), read off its output.
fn slope_of(code: u32, y: f32, leak: f32) -> f32 {
    switch code {
        case 1u: { return select(leak, 1.0, y > 0.0); }
        case 2u: { return 1.0 - y * y; }
        default: { return y * (1.0 - y); }
    }
}
