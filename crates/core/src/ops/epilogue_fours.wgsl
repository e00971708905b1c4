// epilogue.wgsl for four values side by side; all counts of columns are of fours.

override BIAS: bool = false;
override GATE: bool = false; // multiply by the slope of the activation whose output is `beside`, instead of applying it
override ACTIVATION: u32 = 0u; // 0 none, 1 leaky ReLU, 2 tanh, 3 sigmoid
override SLOPE: f32 = 0.0;

@group(0) @binding(3) var<storage, read> beside: array<vec4f>; // the bias, or an activation's output, or unread

fn activate(x: vec4f) -> vec4f {
    switch ACTIVATION {
        case 1u: { return select(SLOPE * x, x, x > vec4f()); }
        case 2u: { return tanh(clamp(x, vec4f(-15.0), vec4f(15.0))); }
        case 3u: { return 1.0 / (1.0 + exp(-clamp(x, vec4f(-80.0), vec4f(80.0)))); }
        default: { return x; }
    }
}

fn slope(y: vec4f) -> vec4f {
    switch ACTIVATION {
        case 1u: { return select(vec4f(SLOPE), vec4f(1.0), y > vec4f()); }
        case 2u: { return 1.0 - y * y; }
        default: { return y * (1.0 - y); }
    }
}

// What becomes of sums before they are written to `at`. All counts of columns here are of fours.
fn finish(sum: vec4f, column: u32, at: u32) -> vec4f {
    if (GATE) {
        return sum * slope(beside[at]);
    }
    if (BIAS) {
        return activate(sum + beside[column]);
    }
    return activate(sum);
}

