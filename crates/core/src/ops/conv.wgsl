// Comes after epilogue.wgsl.
//
// Y[b, oy, ox, o] = activation( sum over (kh, kw, i) of X[b, oy*stride + kh - pad, ox*stride + kw - pad, i] * W[kh, kw, i, o]
//                               + bias[o] ), where pixels outside of X are zero
//
// A product [pixels, inner] * [inner, channels] whose left operand is never stored: a row is a pixel (b, oy, ox) of Y,
// the inner index is (kh, kw, i), and the loader finds the value in X. Tiles and SPLIT are those of product.wgsl: a
// thread owns 4 pixels x 4 channels. A pixel outside reads the nearest one inside, and counts as zero.

struct Params {
    pixels: u32, // B * OH * OW
    inner: u32, // KH * KW * I
    height: u32,
    width: u32,
    channels: u32,
    out_height: u32,
    out_width: u32,
    out_channels: u32,
    kernel_width: u32,
    stride: u32,
    pad: u32,
}

override TILES: u32 = 64u;
override SPLIT: u32 = 1u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

// The partial tiles of the threads that are not first: [SPLIT, TILES, 4 rows].
var<workgroup> partial: array<vec4f, 256>;

@compute @workgroup_size(TILES, SPLIT)
fn convolve(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_id) local: vec3u,
) {
    let tile = (group.y * groups.x + group.x) * TILES + local.x;
    let across = (params.out_channels + 3u) / 4u;
    let row = (tile / across) * 4u;
    let column = (tile % across) * 4u;

    // The four pixels: their image, and where their windows start in it.
    let pixel = min(row + vec4u(0u, 1u, 2u, 3u), vec4u(params.pixels - 1u));
    let line = pixel / params.out_width;
    let image = line / params.out_height;
    let top = vec4i(line % params.out_height * params.stride) - i32(params.pad);
    let left = vec4i(pixel % params.out_width * params.stride) - i32(params.pad);
    let height = vec4i(i32(params.height));
    let width = vec4i(i32(params.width));

    let columns = min(column + vec4u(0u, 1u, 2u, 3u), vec4u(params.out_channels - 1u));

    let stretch = (params.inner + SPLIT - 1u) / SPLIT;
    let last = min((local.y + 1u) * stretch, params.inner);

    var sum0 = vec4f();
    var sum1 = vec4f();
    var sum2 = vec4f();
    var sum3 = vec4f();
    var l = local.y * stretch;
    while (l < last) {
        // What is left of one place in the window: all its channels, unless the stretch starts or ends among them.
        let place = l / params.channels;
        let channel = l % params.channels;
        let count = min(params.channels - channel, last - l);
        let iy = top + i32(place / params.kernel_width);
        let ix = left + i32(place % params.kernel_width);
        let inside = (iy >= vec4i()) & (iy < height) & (ix >= vec4i()) & (ix < width);
        let nearest_y = vec4u(clamp(iy, vec4i(), height - 1));
        let nearest_x = vec4u(clamp(ix, vec4i(), width - 1));
        let at = ((image * params.height + nearest_y) * params.width + nearest_x) * params.channels + channel;
        for (var i = 0u; i < count; i++) {
            let iw = (l + i) * params.out_channels;
            let weights = vec4f(w[iw + columns.x], w[iw + columns.y], w[iw + columns.z], w[iw + columns.w]);
            let values = select(vec4f(), vec4f(x[at.x + i], x[at.y + i], x[at.z + i], x[at.w + i]), inside);
            sum0 += values.x * weights;
            sum1 += values.y * weights;
            sum2 += values.z * weights;
            sum3 += values.w * weights;
        }
        l += count;
    }

    if (SPLIT > 1u) {
        let mine = (local.y * TILES + local.x) * 4u;
        partial[mine] = sum0;
        partial[mine + 1u] = sum1;
        partial[mine + 2u] = sum2;
        partial[mine + 3u] = sum3;
        workgroupBarrier();
        if (local.y > 0u) {
            return;
        }
        for (var s = 1u; s < SPLIT; s++) {
            let other = (s * TILES + local.x) * 4u;
            sum0 += partial[other];
            sum1 += partial[other + 1u];
            sum2 += partial[other + 2u];
            sum3 += partial[other + 3u];
        }
    }

    write(row, column, sum0);
    write(row + 1u, column, sum1);
    write(row + 2u, column, sum2);
    write(row + 3u, column, sum3);
}

fn write(row: u32, column: u32, values: vec4f) {
    if (row >= params.pixels) {
        return;
    }
    for (var j = 0u; j < 4u; j++) {
        if (column + j < params.out_channels) {
            let at = row * params.out_channels + column + j;
            y[at] = finish(values[j], column + j, at);
        }
    }
}
