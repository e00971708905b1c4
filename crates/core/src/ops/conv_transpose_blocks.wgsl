// Comes after blocks.wgsl and epilogue.wgsl.
//
// X[b, h, v, i] = activation( sum over all (oy, ox, kh, kw, o) with oy*stride + kh - pad = h and ox*stride + kw - pad = v
//                             of Y[b, oy, ox, o] * W[kh, kw, i, o]  + bias[i] ), as conv_transpose.wgsl, by blocks of 4x4
//
// That file's product [pixels, inner] * [inner, columns]: a row is (b, qy, qx), a column is (phase y, phase x, i), and
// the inner index is (ty, tx, o). The channels of Y must be a multiple of 4. `spread` and `spread_shared` are the two
// entry points of product_blocks.wgsl. Columns that share what is read of Y share the q where they start. A pixel outside
// of Y reads the nearest one inside, and counts as zero; so does a tap outside of the kernel.

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

override ALIGNED: bool = false; // all columns of a thread, or of a workgroup that shares, belong to one phase

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> y: array<vec4f>;
@group(0) @binding(2) var<storage, read> w: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> x: array<f32>;

// Four pixels of the product: their image, qy and qx.
struct Pixels {
    image: vec4u,
    qy: vec4u,
    qx: vec4u,
}

// Four columns: where their taps start in the kernel, and their channel.
struct Columns {
    phase_y: vec4u,
    phase_x: vec4u,
    channel: vec4u,
}

fn columns_from(column: u32) -> Columns {
    let columns = min(column + vec4u(0u, 1u, 2u, 3u), vec4u(params.columns - 1u));
    let phase = columns / params.channels;
    return Columns(phase / params.stride, phase % params.stride, columns % params.channels);
}

// The first q, down and across, at which one of the columns that start at this one has a place in X.
fn first_q(column: u32) -> vec2u {
    var phase = vec2u(params.stride - 1u);
    if (ALIGNED) {
        phase = vec2u(column / params.channels / params.stride, column / params.channels % params.stride);
    }
    return (params.pad + params.stride - 1u - phase) / params.stride;
}

fn pixels_from(row: u32, first: vec2u) -> Pixels {
    let pixel = min(row + vec4u(0u, 1u, 2u, 3u), vec4u(params.pixels - 1u));
    let line = pixel / params.across;
    return Pixels(line / params.rows, first.x + line % params.rows, first.y + pixel % params.across);
}

// Four channels of Y from `o` on, at one tap of four pixels, one pixel in each column.
fn left(pixels: Pixels, tap_y: u32, tap_x: u32, o: u32) -> mat4x4f {
    let oy = vec4i(pixels.qy) - i32(tap_y);
    let ox = vec4i(pixels.qx) - i32(tap_x);
    let height = vec4i(i32(params.out_height));
    let width = vec4i(i32(params.out_width));
    let inside = (oy >= vec4i()) & (oy < height) & (ox >= vec4i()) & (ox < width);
    let nearest_y = vec4u(clamp(oy, vec4i(), height - 1));
    let nearest_x = vec4u(clamp(ox, vec4i(), width - 1));
    let place = (pixels.image * params.out_height + nearest_y) * params.out_width + nearest_x;
    let at = place * (params.out_channels / 4u) + o / 4u;
    return mat4x4f(
        select(vec4f(), y[at.x], inside.x),
        select(vec4f(), y[at.y], inside.y),
        select(vec4f(), y[at.z], inside.z),
        select(vec4f(), y[at.w], inside.w),
    );
}

// The weights of that tap and these channels for four columns, one channel in each column.
fn right(columns: Columns, tap_y: u32, tap_x: u32, o: u32) -> mat4x4f {
    let kh = columns.phase_y + params.stride * tap_y;
    let kw = columns.phase_x + params.stride * tap_x;
    let exists = (kh < vec4u(params.kernel_height)) & (kw < vec4u(params.kernel_width));
    let tap = min(kh, vec4u(params.kernel_height - 1u)) * params.kernel_width + min(kw, vec4u(params.kernel_width - 1u));
    let at = (tap * params.channels + columns.channel) * (params.out_channels / 4u) + o / 4u;
    return transpose(mat4x4f(
        select(vec4f(), w[at.x], exists.x),
        select(vec4f(), w[at.y], exists.y),
        select(vec4f(), w[at.z], exists.z),
        select(vec4f(), w[at.w], exists.w),
    ));
}

@compute @workgroup_size(THREADS)
fn spread(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_id) local: vec3u,
) {
    let tile = (group.y * groups.x + group.x) * THREADS + local.x;
    let tiles_across = (params.columns + 4u * ACROSS - 1u) / (4u * ACROSS);
    let row = tile / tiles_across * 4u * DOWN;
    let column = tile % tiles_across * 4u * ACROSS;
    if (row >= params.pixels) {
        return;
    }

    let first = first_q(column);
    let pixels0 = pixels_from(row, first);
    var pixels1 = pixels0;
    var pixels2 = pixels0;
    var pixels3 = pixels0;
    if (DOWN > 1u) {
        pixels1 = pixels_from(row + 4u, first);
    }
    if (DOWN > 2u) {
        pixels2 = pixels_from(row + 8u, first);
        pixels3 = pixels_from(row + 12u, first);
    }
    let columns0 = columns_from(column);
    var columns1 = columns0;
    var columns2 = columns0;
    var columns3 = columns0;
    if (ACROSS > 1u) {
        columns1 = columns_from(column + 4u);
    }
    if (ACROSS > 2u) {
        columns2 = columns_from(column + 8u);
        columns3 = columns_from(column + 12u);
    }

    var sums0 = Blocks();
    var sums1 = Blocks();
    var sums2 = Blocks();
    var sums3 = Blocks();
    var tap_y = 0u;
    var tap_x = 0u;
    var o = 0u;
    for (var l = 0u; l < params.inner; l += 4u) {
        var weights = Blocks();
        weights.first = right(columns0, tap_y, tap_x, o);
        if (ACROSS > 1u) {
            weights.second = right(columns1, tap_y, tap_x, o);
        }
        if (ACROSS > 2u) {
            weights.third = right(columns2, tap_y, tap_x, o);
            weights.fourth = right(columns3, tap_y, tap_x, o);
        }
        sums0 = add(sums0, left(pixels0, tap_y, tap_x, o), weights);
        if (DOWN > 1u) {
            sums1 = add(sums1, left(pixels1, tap_y, tap_x, o), weights);
        }
        if (DOWN > 2u) {
            sums2 = add(sums2, left(pixels2, tap_y, tap_x, o), weights);
            sums3 = add(sums3, left(pixels3, tap_y, tap_x, o), weights);
        }
        let ends = o + 4u == params.out_channels;
        o = select(o + 4u, 0u, ends);
        tap_x += select(0u, 1u, ends);
        let turns = tap_x == params.taps_across;
        tap_x = select(tap_x, 0u, turns);
        tap_y += select(0u, 1u, turns);
    }

    write(row, column, pixels0, columns0, sums0.first);
    if (ACROSS > 1u) {
        write(row, column + 4u, pixels0, columns1, sums0.second);
    }
    if (ACROSS > 2u) {
        write(row, column + 8u, pixels0, columns2, sums0.third);
        write(row, column + 12u, pixels0, columns3, sums0.fourth);
    }
    if (DOWN > 1u) {
        write(row + 4u, column, pixels1, columns0, sums1.first);
        if (ACROSS > 1u) {
            write(row + 4u, column + 4u, pixels1, columns1, sums1.second);
        }
        if (ACROSS > 2u) {
            write(row + 4u, column + 8u, pixels1, columns2, sums1.third);
            write(row + 4u, column + 12u, pixels1, columns3, sums1.fourth);
        }
    }
    if (DOWN > 2u) {
        write(row + 8u, column, pixels2, columns0, sums2.first);
        if (ACROSS > 1u) {
            write(row + 8u, column + 4u, pixels2, columns1, sums2.second);
        }
        if (ACROSS > 2u) {
            write(row + 8u, column + 8u, pixels2, columns2, sums2.third);
            write(row + 8u, column + 12u, pixels2, columns3, sums2.fourth);
        }
        write(row + 12u, column, pixels3, columns0, sums3.first);
        if (ACROSS > 1u) {
            write(row + 12u, column + 4u, pixels3, columns1, sums3.second);
        }
        if (ACROSS > 2u) {
            write(row + 12u, column + 8u, pixels3, columns2, sums3.third);
            write(row + 12u, column + 12u, pixels3, columns3, sums3.fourth);
        }
    }
}

fn write(row: u32, column: u32, pixels: Pixels, columns: Columns, block: mat4x4f) {
    write_row(row, column, vec3u(pixels.image.x, pixels.qy.x, pixels.qx.x), columns, block[0]);
    write_row(row + 1u, column, vec3u(pixels.image.y, pixels.qy.y, pixels.qx.y), columns, block[1]);
    write_row(row + 2u, column, vec3u(pixels.image.z, pixels.qy.z, pixels.qx.z), columns, block[2]);
    write_row(row + 3u, column, vec3u(pixels.image.w, pixels.qy.w, pixels.qx.w), columns, block[3]);
}

// `q`: the image, qy and qx.
fn write_row(row: u32, column: u32, q: vec3u, columns: Columns, sums: vec4f) {
    // Above or left of the image, these wrap around to numbers that are too large as well.
    let h = q.y * params.stride + columns.phase_y - params.pad;
    let v = q.z * params.stride + columns.phase_x - params.pad;
    let counts = column + vec4u(0u, 1u, 2u, 3u) < vec4u(params.columns);
    let inside = vec4<bool>(row < params.pixels) & counts & (h < vec4u(params.height)) & (v < vec4u(params.width));
    let at = ((q.x * params.height + h) * params.width + v) * params.channels + columns.channel;
    if (inside.x) {
        x[at.x] = finish(sums.x, columns.channel.x, at.x);
    }
    if (inside.y) {
        x[at.y] = finish(sums.y, columns.channel.y, at.y);
    }
    if (inside.z) {
        x[at.z] = finish(sums.z, columns.channel.z, at.z);
    }
    if (inside.w) {
        x[at.w] = finish(sums.w, columns.channel.w, at.w);
    }
}

@compute @workgroup_size(THREADS, SPLIT)
fn spread_shared(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_id) local: vec3u,
) {
    let tile = group.y * groups.x + group.x;
    let tiles_across = (params.columns + TILE - 1u) / TILE;
    let first_row = tile / tiles_across * TILE;
    let first_column = tile % tiles_across * TILE;

    // The first half of the threads loads blocks of Y, the second blocks of W; each has one in every 16.
    let wide = TILE / 4u; // blocks side by side
    let base = local.y * 4u * TILE;
    let loads_left = local.x < TILE;
    let load = local.x % TILE;
    // Neighbours in memory are loaded by neighbouring threads.
    let load_block = load / 4u;
    let load_inner = load % 4u;
    let store = base + load_inner * TILE + load_block;

    let first = first_q(first_column);
    let pixels = pixels_from(first_row + 4u * load_block, first);
    let columns = columns_from(first_column + 4u * load_block);

    // The block that the thread owns, and the one half a tile below.
    let down = local.x / wide;
    let across = local.x % wide;

    var sums0 = mat4x4f();
    var sums1 = mat4x4f();
    let stretch = (params.inner + 16u * SPLIT - 1u) / (16u * SPLIT) * 16u;
    for (var step = 0u; step < stretch; step += 16u) {
        let l = local.y * stretch + step + 4u * load_inner;
        var block = mat4x4f();
        if (l < params.inner) {
            let tap = l / params.out_channels;
            let tap_y = tap / params.taps_across;
            let tap_x = tap % params.taps_across;
            let o = l % params.out_channels;
            if (loads_left) {
                block = left(pixels, tap_y, tap_x, o);
            } else {
                block = right(columns, tap_y, tap_x, o);
            }
        }
        if (loads_left) {
            shared_left[store] = block[0];
            shared_left[store + wide] = block[1];
            shared_left[store + 2u * wide] = block[2];
            shared_left[store + 3u * wide] = block[3];
        } else {
            shared_right[store] = block[0];
            shared_right[store + wide] = block[1];
            shared_right[store + 2u * wide] = block[2];
            shared_right[store + 3u * wide] = block[3];
        }
        workgroupBarrier();
        for (var i = 0u; i < 4u; i++) {
            let at = base + i * TILE;
            let weights = shared_block_right(at + across);
            sums0 = accumulate(sums0, weights, shared_block_left(at + down));
            if (TILE > 32u) {
                sums1 = accumulate(sums1, weights, shared_block_left(at + down + 8u));
            }
        }
        workgroupBarrier();
    }

    for (var s = 1u; s < SPLIT; s++) {
        let at = local.x;
        if (local.y == s) {
            shared_left[at] = sums0[0];
            shared_left[at + THREADS] = sums0[1];
            shared_left[at + 2u * THREADS] = sums0[2];
            shared_left[at + 3u * THREADS] = sums0[3];
            if (TILE > 32u) {
                shared_right[at] = sums1[0];
                shared_right[at + THREADS] = sums1[1];
                shared_right[at + 2u * THREADS] = sums1[2];
                shared_right[at + 3u * THREADS] = sums1[3];
            }
        }
        workgroupBarrier();
        if (local.y == 0u) {
            sums0 += mat4x4f(
                shared_left[at],
                shared_left[at + THREADS],
                shared_left[at + 2u * THREADS],
                shared_left[at + 3u * THREADS],
            );
            if (TILE > 32u) {
                sums1 += mat4x4f(
                    shared_right[at],
                    shared_right[at + THREADS],
                    shared_right[at + 2u * THREADS],
                    shared_right[at + 3u * THREADS],
                );
            }
        }
        workgroupBarrier();
    }

    if (local.y == 0u) {
        let row = first_row + 4u * down;
        let column = first_column + 4u * across;
        let owned = columns_from(column);
        write(row, column, pixels_from(row, first), owned, sums0);
        if (TILE > 32u) {
            write(row + 32u, column, pixels_from(row + 32u, first), owned, sums1);
        }
    }
}
