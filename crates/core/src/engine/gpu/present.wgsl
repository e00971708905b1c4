// Draws a grid of images straight from the device buffer that the sampling program wrote: a triangle that covers the
// canvas, and a fragment that finds its cell and pixel.
//
// images: [rows * columns, height * width], values from -1 (paper) to 1 (ink)

struct Params {
    canvas: vec2f,  // in pixels
    grid: vec2u,    // columns, rows
    image: vec2u,   // width, height
    gap: f32,       // between cells, in pixels
    paper: vec4f,
    ink: vec4f,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> images: array<f32>;

@vertex
fn cover(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {
    return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

@fragment
fn draw(@builtin(position) position: vec4f) -> @location(0) vec4f {
    // A gap surrounds each cell half on either side, so the grid is centred.
    let pitch = params.canvas / vec2f(params.grid);
    let cell = min(vec2u(position.xy / pitch), params.grid - 1u);
    let within = (position.xy - vec2f(cell) * pitch - 0.5 * params.gap) / (pitch - params.gap);
    if (any(within < vec2f()) || any(within >= vec2f(1.0))) {
        return params.paper;
    }
    let pixel = vec2u(within * vec2f(params.image));
    let n = (cell.y * params.grid.x + cell.x) * params.image.y + pixel.y;
    let value = images[n * params.image.x + pixel.x];
    return mix(params.paper, params.ink, clamp(0.5 * value + 0.5, 0.0, 1.0));
}
