// W [K, N] divided by its largest singular value, which one turn of the power method improves:
// v = W u / |W u|,  t = Wᵀ v,  sigma = |t|,  u = t / sigma,  W = W / sigma
//
// In place, for several matrices, each with a workgroup. spectral.rs writes down where they are; what stands here between
// the marks is a sample.

struct Params {
    matrices: u32,
}

struct Matrix {
    w: u32, // where its values start,
    u: u32, // and its vectors
    v: u32,
    rows: u32, // K
    columns: u32, // N
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> u: array<f32>; // [N] each
@group(0) @binding(3) var<storage, read_write> v: array<f32>; // [K] each

override THREADS: u32 = 64u;
const TINY = 1e-12;

var<workgroup> partial: array<f32, THREADS>;

// The length of a vector whose squares the threads have summed in part.
fn length_of(part: f32, thread: u32) -> f32 {
    workgroupBarrier();
    partial[thread] = part;
    workgroupBarrier();
    var sum = 0.0;
    for (var i = 0u; i < THREADS; i++) {
        sum += partial[i];
    }
    return sqrt(sum);
}

@compute @workgroup_size(THREADS)
fn update(@builtin(workgroup_id) id: vec3u, @builtin(local_invocation_index) thread: u32) {
    var m = Matrix();
    //<matrices>
    if (id.x < params.matrices) {
        m = Matrix(0u, 0u, 0u, 4u, 4u);
    }
    //</matrices>
    var squares = 0.0;
    for (var k = thread; k < m.rows; k += THREADS) {
        var sum = 0.0;
        for (var n = 0u; n < m.columns; n++) {
            sum += w[m.w + k * m.columns + n] * u[m.u + n];
        }
        v[m.v + k] = sum;
        squares += sum * sum;
    }
    let v_length = length_of(squares, thread);
    storageBarrier();
    // The same in all threads, as they add the same numbers in the same order; but a compiler can't know, so it chooses
    // instead of returning early.
    let stays = v_length <= TINY;
    squares = 0.0;
    for (var n = thread; n < m.columns; n += THREADS) {
        var sum = 0.0;
        for (var k = 0u; k < m.rows; k++) {
            sum += w[m.w + k * m.columns + n] * v[m.v + k];
        }
        sum = select(sum / v_length, u[m.u + n], stays);
        u[m.u + n] = sum;
        squares += sum * sum;
    }
    let length = length_of(squares, thread);
    let sigma = select(length, 1.0, stays);
    storageBarrier();
    for (var n = thread; n < m.columns; n += THREADS) {
        u[m.u + n] /= sigma;
    }
    for (var i = thread; i < m.rows * m.columns; i += THREADS) {
        w[m.w + i] /= sigma;
    }
}
