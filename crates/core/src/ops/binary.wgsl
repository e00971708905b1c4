// y = a (+ - * /) b with broadcasting: along an axis where an operand is repeated, its step is 0.

struct Params {
    n: u32,
    extent1: u32,
    extent2: u32,
    extent3: u32,
    a0: u32,
    a1: u32,
    a2: u32,
    a3: u32,
    b0: u32,
    b1: u32,
    b2: u32,
    b3: u32,
}

override ARITHMETIC: u32; // 0 sum, 1 difference, 2 product, 3 quotient

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

fn arithmetic(a: f32, b: f32) -> f32 {
    switch ARITHMETIC {
        case 0u: { return a + b; }
        case 1u: { return a - b; }
        case 2u: { return a * b; }
        default: { return a / b; }
    }
}

@compute @workgroup_size(64)
fn combine(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    for (var i = id.x; i < params.n; i += groups.x * 64u) {
        let i3 = i % params.extent3;
        let rest = i / params.extent3;
        let i2 = rest % params.extent2;
        let i1 = rest / params.extent2 % params.extent1;
        let i0 = rest / params.extent2 / params.extent1;
        let ia = i0 * params.a0 + i1 * params.a1 + i2 * params.a2 + i3 * params.a3;
        let ib = i0 * params.b0 + i1 * params.b1 + i2 * params.b2 + i3 * params.b3;
        y[i] = arithmetic(a[ia], b[ib]);
    }
}
