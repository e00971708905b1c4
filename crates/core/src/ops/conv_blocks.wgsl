// Comes after blocks.wgsl and epilogue_fours.wgsl.
//
// Y[b, oy, ox, o] = activation( sum over (kh, kw, i) of X[b, oy*stride + kh - pad, ox*stride + kw - pad, i] * W[kh, kw, i, o]
//                               + bias[o] ), where pixels outside of X are zero; as conv.wgsl, by whole blocks of 4x4
//
// A product [pixels, inner] * [inner, channels] whose left operand is never stored: a row is a pixel (b, oy, ox) of Y,
// the inner index is (kh, kw, i), and the loader finds the values in X. Those of one kh are neighbours in X: only these
// runs of KW * I values must consist of whole fours, and the channels of Y. `convolve` and `convolve_shared` are the two
// entry points of product_blocks.wgsl. A value outside reads the nearest one inside, and counts as zero.

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

override TOGETHER: bool = false; // I is a multiple of 4: four neighbours lie in one pixel

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;

// Four pixels of Y: the first line of their images among all lines of X, and where their windows start in it.
struct Pixels {
    image: vec4u,
    top: vec4i,
    first: vec4i, // the place in a line, in values
}

fn pixels_from(row: u32) -> Pixels {
    let pixel = min(row + vec4u(0u, 1u, 2u, 3u), vec4u(params.pixels - 1u));
    let line = pixel / params.out_width;
    let top = vec4i(line % params.out_height * params.stride) - i32(params.pad);
    let left = vec4i(pixel % params.out_width * params.stride) - i32(params.pad);
    return Pixels(line / params.out_height * params.height, top, left * i32(params.channels));
}

// Four neighbours in a line of X that starts at `line`, from `first` on.
fn neighbours(line: u32, first: i32, inside: bool) -> vec4f {
    let length = i32(params.width * params.channels);
    if (TOGETHER) {
        let at = line + u32(clamp(first, 0, length - 4));
        let values = vec4f(x[at], x[at + 1u], x[at + 2u], x[at + 3u]);
        return select(vec4f(), values, inside && first >= 0 && first < length);
    }
    let places = first + vec4i(0, 1, 2, 3);
    let at = line + vec4u(clamp(places, vec4i(), vec4i(length - 1)));
    let values = vec4f(x[at.x], x[at.y], x[at.z], x[at.w]);
    return select(vec4f(), values, vec4<bool>(inside) & (places >= vec4i()) & (places < vec4i(length)));
}

// What line `kh` of four windows holds from place `run` on, one window in each column.
fn left(pixels: Pixels, kh: u32, run: u32) -> mat4x4f {
    let iy = pixels.top + i32(kh);
    let height = vec4i(i32(params.height));
    let inside = (iy >= vec4i()) & (iy < height);
    let line = (pixels.image + vec4u(clamp(iy, vec4i(), height - 1))) * (params.width * params.channels);
    let first = pixels.first + i32(run);
    return mat4x4f(
        neighbours(line.x, first.x, inside.x),
        neighbours(line.y, first.y, inside.y),
        neighbours(line.z, first.z, inside.z),
        neighbours(line.w, first.w, inside.w),
    );
}

// W[l.., column..], one place of the window in each column.
fn right(l: u32, column: u32) -> mat4x4f {
    let step = params.out_channels / 4u;
    let at = l * step + min(column, params.out_channels - 4u) / 4u;
    return mat4x4f(w[at], w[at + step], w[at + 2u * step], w[at + 3u * step]);
}

fn right_blocks(l: u32, column: u32) -> Blocks {
    var blocks = Blocks();
    blocks.first = right(l, column);
    if (ACROSS > 1u) {
        blocks.second = right(l, column + 4u);
    }
    if (ACROSS > 2u) {
        blocks.third = right(l, column + 8u);
        blocks.fourth = right(l, column + 12u);
    }
    return blocks;
}

@compute @workgroup_size(THREADS)
fn convolve(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_id) local: vec3u,
) {
    let tile = (group.y * groups.x + group.x) * THREADS + local.x;
    let tiles_across = (params.out_channels + 4u * ACROSS - 1u) / (4u * ACROSS);
    let row = tile / tiles_across * 4u * DOWN;
    let column = tile % tiles_across * 4u * ACROSS;
    if (row >= params.pixels) {
        return;
    }

    let pixels0 = pixels_from(row);
    var pixels1 = pixels0;
    var pixels2 = pixels0;
    var pixels3 = pixels0;
    if (DOWN > 1u) {
        pixels1 = pixels_from(row + 4u);
    }
    if (DOWN > 2u) {
        pixels2 = pixels_from(row + 8u);
        pixels3 = pixels_from(row + 12u);
    }

    var sums0 = Blocks();
    var sums1 = Blocks();
    var sums2 = Blocks();
    var sums3 = Blocks();
    let length = params.kernel_width * params.channels;
    var kh = 0u;
    var run = 0u;
    for (var l = 0u; l < params.inner; l += 4u) {
        let columns = right_blocks(l, column);
        sums0 = add(sums0, left(pixels0, kh, run), columns);
        if (DOWN > 1u) {
            sums1 = add(sums1, left(pixels1, kh, run), columns);
        }
        if (DOWN > 2u) {
            sums2 = add(sums2, left(pixels2, kh, run), columns);
            sums3 = add(sums3, left(pixels3, kh, run), columns);
        }
        let ends = run + 4u == length;
        kh += select(0u, 1u, ends);
        run = select(run + 4u, 0u, ends);
    }

    write_blocks(row, column, sums0);
    if (DOWN > 1u) {
        write_blocks(row + 4u, column, sums1);
    }
    if (DOWN > 2u) {
        write_blocks(row + 8u, column, sums2);
        write_blocks(row + 12u, column, sums3);
    }
}

fn write_blocks(row: u32, column: u32, sums: Blocks) {
    write(row, column, sums.first);
    if (ACROSS > 1u) {
        write(row, column + 4u, sums.second);
    }
    if (ACROSS > 2u) {
        write(row, column + 8u, sums.third);
        write(row, column + 12u, sums.fourth);
    }
}

fn write(row: u32, column: u32, block: mat4x4f) {
    if (column >= params.out_channels) {
        return;
    }
    write_row(row, column / 4u, block[0]);
    write_row(row + 1u, column / 4u, block[1]);
    write_row(row + 2u, column / 4u, block[2]);
    write_row(row + 3u, column / 4u, block[3]);
}

fn write_row(row: u32, column: u32, sums: vec4f) {
    if (row < params.pixels) {
        let at = row * (params.out_channels / 4u) + column;
        y[at] = finish(sums, column, at);
    }
}

@compute @workgroup_size(THREADS, SPLIT)
fn convolve_shared(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_id) local: vec3u,
) {
    let tile = group.y * groups.x + group.x;
    let tiles_across = (params.out_channels + TILE - 1u) / TILE;
    let first_row = tile / tiles_across * TILE;
    let first_column = tile % tiles_across * TILE;

    // The first half of the threads loads blocks of X, the second blocks of W; each has one in every 16.
    let wide = TILE / 4u; // blocks side by side
    let base = local.y * 4u * TILE;
    let loads_left = local.x < TILE;
    let load = local.x % TILE;
    // Neighbours in memory are loaded by neighbouring threads.
    let load_block = select(load % wide, load / 4u, loads_left);
    let load_inner = select(load / wide, load % 4u, loads_left);
    let store = base + load_inner * TILE + load_block;

    let pixels = pixels_from(first_row + 4u * load_block);
    let length = params.kernel_width * params.channels;

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
            if (loads_left) {
                block = left(pixels, l / length, l % length);
            } else {
                block = right(l, first_column + 4u * load_block);
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
            let columns = shared_block_right(at + across);
            sums0 = accumulate(sums0, columns, shared_block_left(at + down));
            if (TILE > 32u) {
                sums1 = accumulate(sums1, columns, shared_block_left(at + down + 8u));
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
        write(first_row + 4u * down, first_column + 4u * across, sums0);
        if (TILE > 32u) {
            write(first_row + 4u * down + 32u, first_column + 4u * across, sums1);
        }
    }
}
