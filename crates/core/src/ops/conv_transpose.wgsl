// Comes after epilogue.wgsl.
//
// X[b, h, v, i] = activation( sum over all (oy, ox, kh, kw, o) with oy*stride + kh - pad = h and ox*stride + kw - pad = v
//                             of Y[b, oy, ox, o] * W[kh, kw, i, o]  + bias[i] )
//
// Write h + pad = stride*q + phase. Then kh = phase + stride*t and oy = q - t: for each phase this is a convolution of
// stride 1 with every stride-th row of the kernel. All phases together are a product [pixels, inner] * [inner, columns]:
// a row is (b, qy, qx), a column is (phase y, phase x, i), and the inner index is (ty, tx, o). Each value is written
// where its pixel and phase say. Tiles and SPLIT are those of product.wgsl: a thread owns 4 pixels x 4 columns.
// A pixel outside of Y reads the nearest one inside, and counts as zero; so does a tap outside of the kernel.

struct Params {
    pixels: u32, // B * rows * across
    inner: u32,
    columns: u32, // stride * stride * I
    rows: u32, // how many q there are down,
    across: u32, // and across
    taps_across: u32,
    height: u32,
    width: u32,
    channels: u32,
    out_height: u32,
    out_width: u32,
    out_channels: u32,
    kernel_height: u32,
    kernel_width: u32,
    stride: u32,
    pad: u32,
}

override TILES: u32 = 64u;
override SPLIT: u32 = 1u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(4) var<storage, read_write> x: array<f32>;

// The partial tiles of the threads that are not first: [SPLIT, TILES, 4 rows].
var<workgroup> partial: array<vec4f, 256>;

@compute @workgroup_size(TILES, SPLIT)
fn spread(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_id) local: vec3u,
) {
    let tile = (group.y * groups.x + group.x) * TILES + local.x;
    let tiles_across = (params.columns + 3u) / 4u;
    let row = (tile / tiles_across) * 4u;
    let column = (tile % tiles_across) * 4u;

    // The four columns: their channel, and their phase, where their taps start in the kernel.
    let columns = min(column + vec4u(0u, 1u, 2u, 3u), vec4u(params.columns - 1u));
    let channel = columns % params.channels;
    let phase_y = columns / params.channels / params.stride;
    let phase_x = columns / params.channels % params.stride;

    // The four pixels, counted from the first q at which one of the phases has a place in X.
    let first_y = smallest((params.pad + params.stride - 1u - phase_y) / params.stride);
    let first_x = smallest((params.pad + params.stride - 1u - phase_x) / params.stride);
    let pixel = min(row + vec4u(0u, 1u, 2u, 3u), vec4u(params.pixels - 1u));
    let line = pixel / params.across;
    let image = line / params.rows;
    let qy = first_y + line % params.rows;
    let qx = first_x + pixel % params.across;
    let height = vec4i(i32(params.out_height));
    let width = vec4i(i32(params.out_width));

    let stretch = (params.inner + SPLIT - 1u) / SPLIT;
    let last = min((local.y + 1u) * stretch, params.inner);

    var sum0 = vec4f();
    var sum1 = vec4f();
    var sum2 = vec4f();
    var sum3 = vec4f();
    var l = local.y * stretch;
    while (l < last) {
        // What is left of one tap: all its channels, unless the stretch starts or ends among them.
        let tap_y = l / params.out_channels / params.taps_across;
        let tap_x = l / params.out_channels % params.taps_across;
        let start = l % params.out_channels;
        let count = min(params.out_channels - start, last - l);

        let oy = vec4i(qy) - i32(tap_y);
        let ox = vec4i(qx) - i32(tap_x);
        let inside = (oy >= vec4i()) & (oy < height) & (ox >= vec4i()) & (ox < width);
        let nearest_y = vec4u(clamp(oy, vec4i(), height - 1));
        let nearest_x = vec4u(clamp(ox, vec4i(), width - 1));
        let at = ((image * params.out_height + nearest_y) * params.out_width + nearest_x) * params.out_channels + start;

        let kh = phase_y + params.stride * tap_y;
        let kw = phase_x + params.stride * tap_x;
        let exists = (kh < vec4u(params.kernel_height)) & (kw < vec4u(params.kernel_width));
        let tap = min(kh, vec4u(params.kernel_height - 1u)) * params.kernel_width + min(kw, vec4u(params.kernel_width - 1u));
        let origin = (tap * params.channels + channel) * params.out_channels + start;

        for (var o = 0u; o < count; o++) {
            let weights = select(vec4f(), vec4f(w[origin.x + o], w[origin.y + o], w[origin.z + o], w[origin.w + o]), exists);
            let values = select(vec4f(), vec4f(y[at.x + o], y[at.y + o], y[at.z + o], y[at.w + o]), inside);
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

    write(row, column, vec3u(image.x, qy.x, qx.x), sum0);
    write(row + 1u, column, vec3u(image.y, qy.y, qx.y), sum1);
    write(row + 2u, column, vec3u(image.z, qy.z, qx.z), sum2);
    write(row + 3u, column, vec3u(image.w, qy.w, qx.w), sum3);
}

fn smallest(v: vec4u) -> u32 {
    return min(min(v.x, v.y), min(v.z, v.w));
}

// `q`: the image, qy and qx.
fn write(row: u32, column: u32, q: vec3u, values: vec4f) {
    if (row >= params.pixels) {
        return;
    }
    for (var j = 0u; j < min(4u, params.columns - column); j++) {
        let channel = (column + j) % params.channels;
        let phase = (column + j) / params.channels;
        // Above or left of the image, this wraps around to a number that is too large as well.
        let h = q.y * params.stride + phase / params.stride - params.pad;
        let v = q.z * params.stride + phase % params.stride - params.pad;
        if (h < params.height && v < params.width) {
            let at = ((q.x * params.height + h) * params.width + v) * params.channels + channel;
            x[at] = finish(values[j], channel, at);
        }
    }
}
