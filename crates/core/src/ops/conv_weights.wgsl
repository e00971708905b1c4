// dW[kh, kw, i, o] = sum over (b, oy, ox) of X[b, oy*stride + kh - pad, ox*stride + kw - pad, i] * dY[b, oy, ox, o],
//                    where pixels outside of X are zero
//
// A product [places, pixels] * [pixels, channels] whose left operand is never stored: a row is a place (kh, kw, i) in
// the window, the inner index is a pixel (b, oy, ox) of dY, and the loader finds the value in X. Tiles and SPLIT are
// those of product.wgsl: a thread owns 4 places x 4 channels, and few tiles with many pixels are shared by many threads.
// A pixel outside reads the nearest one inside, and counts as zero.

struct Params {
    places: u32, // KH * KW * I
    pixels: u32, // B * OH * OW
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
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dw: array<f32>;

// The partial tiles of the threads that are not first: [SPLIT, TILES, 4 rows].
var<workgroup> partial: array<vec4f, 256>;

@compute @workgroup_size(TILES, SPLIT)
fn correlate(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_id) local: vec3u,
) {
    let tile = (group.y * groups.x + group.x) * TILES + local.x;
    let across = (params.out_channels + 3u) / 4u;
    let row = (tile / across) * 4u;
    let column = (tile % across) * 4u;

    // The four places in the window, less the padding.
    let place = min(row + vec4u(0u, 1u, 2u, 3u), vec4u(params.places - 1u));
    let channel = place % params.channels;
    let down = vec4i(place / params.channels / params.kernel_width) - i32(params.pad);
    let right = vec4i(place / params.channels % params.kernel_width) - i32(params.pad);
    let height = vec4i(i32(params.height));
    let width = vec4i(i32(params.width));

    let columns = min(column + vec4u(0u, 1u, 2u, 3u), vec4u(params.out_channels - 1u));

    let stretch = (params.pixels + SPLIT - 1u) / SPLIT;
    let last = min((local.y + 1u) * stretch, params.pixels);

    var sum0 = vec4f();
    var sum1 = vec4f();
    var sum2 = vec4f();
    var sum3 = vec4f();
    var l = local.y * stretch;
    while (l < last) {
        // What is left of one line of dY, unless the stretch starts or ends in it.
        let line = l / params.out_width;
        let start = l % params.out_width;
        let count = min(params.out_width - start, last - l);
        let iy = down + i32(line % params.out_height * params.stride);
        let inside_y = (iy >= vec4i()) & (iy < height);
        let nearest_y = vec4u(clamp(iy, vec4i(), height - 1));
        let at_line = (line / params.out_height * params.height + nearest_y) * params.width;
        var ix = right + i32(start * params.stride);
        for (var i = 0u; i < count; i++) {
            let inside = inside_y & (ix >= vec4i()) & (ix < width);
            let at = (at_line + vec4u(clamp(ix, vec4i(), width - 1))) * params.channels + channel;
            let values = select(vec4f(), vec4f(x[at.x], x[at.y], x[at.z], x[at.w]), inside);
            let first = (l + i) * params.out_channels;
            let slopes = vec4f(dy[first + columns.x], dy[first + columns.y], dy[first + columns.z], dy[first + columns.w]);
            sum0 += values.x * slopes;
            sum1 += values.y * slopes;
            sum2 += values.z * slopes;
            sum3 += values.w * slopes;
            ix += i32(params.stride);
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
    if (row >= params.places) {
        return;
    }
    for (var j = 0u; j < 4u; j++) {
        if (column + j < params.out_channels) {
            dw[row * params.out_channels + column + j] = values[j];
        }
    }
}
