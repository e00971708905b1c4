// What becomes of a sum before it is written: see epilogue.rs. Reads `beside`, the bias or an activation's output.

override BIAS: bool = false;
override GATE: bool = false; // multiply by the slope of the activation whose output is `beside`, instead of applying it
override ACTIVATION: u32 = 0u; // 0 none, 1 leaky ReLU, 2 tanh, 3 sigmoid
override SLOPE: f32 = 0.0;

@group(0) @binding(3) var<storage, read> beside: array<f32>; // the bias, or an activation's output, or unread

fn activate(x: f32) -> f32 {
    switch ACTIVATION {
        case 1u: { return select(SLOPE * x, x, x > 0.0); }
        case 2u: { return tanh(clamp(x, -15.0, 15.0)); }
        case 3u: { return 1.0 / (1.0 + exp(-clamp(x, -80.0, 80.0))); }
        default: { return x; }
    }
}

fn slope(y: f32) -> f32 {
    switch ACTIVATION {
        case 1u: { return select(SLOPE, 1.0, y > 0.0); }
        case 2u: { return 1.0 - y * y; }
        default: { return y * (1.0 - y); }
    }
}

// What becomes of a sum before it is written to `at`.
fn finish(sum: f32, column: u32, at: u32) -> f32 {
    if (GATE) {
        return sum * slope(beside[at]);
    }
    if (BIAS) {
        return activate(sum + beside[column]);
    }
    return activate(sum);
}

