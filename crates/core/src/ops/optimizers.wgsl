// How a weight follows its gradient; see adam.rs, sgd.rs and average.rs.

// 1 - exp(x) for x <= 0.
fn one_minus_exp(x: f32) -> f32 {
    if (x < -0.5) {
        return 1.0 - exp(max(x, -80.0));
    }
    // The series of exp up to x^8, in Horner's form.
    var sum = 1.0;
    for (var k = 8.0; k > 1.0; k -= 1.0) {
        sum = 1.0 + x / k * sum;
    }
    return -x * sum;
}

// Four weights and what is kept beside each: two moments, or a velocity first.
struct Learnt {
    weight: vec4f,
    first: vec4f,
    second: vec4f,
}

// After gradient g. `betas` are the moments' decays, `rate` the learning rate over the first moment's correction, `unbias`
// one over the square root of the second's, `shrink` what weight decay leaves of a weight.
fn adam(old: Learnt, g: vec4f, betas: vec2f, rate: f32, unbias: f32, shrink: f32, epsilon: f32) -> Learnt {
    let mean = old.first + (1.0 - betas.x) * (g - old.first);
    let square = old.second + (1.0 - betas.y) * (g * g - old.second);
    return Learnt(shrink * old.weight - rate * mean / (sqrt(square) * unbias + epsilon), mean, square);
}

fn momentum(old: Learnt, g: vec4f, keep: f32, rate: f32) -> Learnt {
    let velocity = keep * old.first + g;
    return Learnt(old.weight - rate * velocity, velocity, old.second);
}

// How far an average moves towards its weight at the count-th update.
fn following(count: f32, decay: f32) -> f32 {
    return 1.0 - min(decay, count / (count + 9.0));
}

