// The lifetimes of one generation by hand: AVX-512 intrinsics, one individual after the other.
//
// Published setting with external modulation (Miconi 2023). The same work as the CPU engine, with
// its own random numbers (xoshiro128+, one generator per lane): what a careful programmer would
// write for this network without looking at the engine. All N rows and columns, padded to 16.
//
//   g++ -O3 -march=native -shared -fPIC avx512.cpp -o avx512.so

#include <immintrin.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

namespace {

constexpr int kInputs = 2, kFeedback = 2, kBias = 4, kAction = 5, kOutputs = 2;

struct Shape {
  int neurons, padded, trials, steps;
  int response_start, response_stop, feedback_start, feedback_stop;
};

struct Random {
  __m512i a, b, c, d;
  explicit Random(uint64_t seed) {
    alignas(64) uint32_t words[4][16];
    for (auto& row : words)
      for (auto& word : row) {
        seed += 0x9E3779B97F4A7C15ull;
        uint64_t z = (seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9ull;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
        word = static_cast<uint32_t>((z ^ (z >> 31)) >> 32);
      }
    a = _mm512_load_si512(words[0]), b = _mm512_load_si512(words[1]);
    c = _mm512_load_si512(words[2]), d = _mm512_load_si512(words[3]);
  }
  __m512i next() {
    const __m512i word = _mm512_add_epi32(a, d);
    const __m512i t = _mm512_slli_epi32(b, 9);
    c = _mm512_xor_si512(c, a), d = _mm512_xor_si512(d, b);
    b = _mm512_xor_si512(b, c), a = _mm512_xor_si512(a, d);
    c = _mm512_xor_si512(c, t), d = _mm512_rol_epi32(d, 11);
    return word;
  }
};

inline __m512 tanh16(__m512 x) {
  x = _mm512_max_ps(_mm512_min_ps(x, _mm512_set1_ps(7.9053111f)), _mm512_set1_ps(-7.9053111f));
  const __m512 s = _mm512_mul_ps(x, x);
  __m512 p = _mm512_set1_ps(-2.76076847742355e-16f);
  p = _mm512_fmadd_ps(p, s, _mm512_set1_ps(2.00018790482477e-13f));
  p = _mm512_fmadd_ps(p, s, _mm512_set1_ps(-8.60467152213735e-11f));
  p = _mm512_fmadd_ps(p, s, _mm512_set1_ps(5.12229709037114e-08f));
  p = _mm512_fmadd_ps(p, s, _mm512_set1_ps(1.48572235717979e-05f));
  p = _mm512_fmadd_ps(p, s, _mm512_set1_ps(6.37261928875436e-04f));
  p = _mm512_fmadd_ps(p, s, _mm512_set1_ps(4.89352455891786e-03f));
  __m512 q = _mm512_set1_ps(1.19825839466702e-06f);
  q = _mm512_fmadd_ps(q, s, _mm512_set1_ps(1.18534705686654e-04f));
  q = _mm512_fmadd_ps(q, s, _mm512_set1_ps(2.26843463243900e-03f));
  q = _mm512_fmadd_ps(q, s, _mm512_set1_ps(4.89352518554385e-03f));
  return _mm512_div_ps(_mm512_mul_ps(x, p), q);
}

struct Aligned {
  float* data;
  explicit Aligned(size_t size) {
    data = static_cast<float*>(std::aligned_alloc(64, (size * 4 + 63) / 64 * 64));
    std::memset(data, 0, (size * 4 + 63) / 64 * 64);
  }
  ~Aligned() { std::free(data); }
};

// W: vectors of 16 rows that cover the padded network, known to the compiler so that the sums of a
// step stay in registers.
template <int W>
void live(const Shape& shape, const float* w, const float* alpha, const float* stimulus,
          const int* answer, uint64_t seed, float* loss_out) {
  constexpr int padded = 16 * W;
  const int n = shape.neurons, matrix = n * padded;
  // Column j of `weight` is contiguous: y += column[j] * rate[j] needs no sums across lanes. Rows of
  // the others are: a hit touches one row of `elig`. It is kept unscaled, elig = scale * stored.
  Aligned weight(matrix), innate(matrix), gain(matrix), p(matrix), elig(matrix);
  Aligned x(padded), rate(padded), xi(padded);
  float scale = 1.0f;
  float baseline[4] = {0, 0, 0, 0};
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      weight.data[j * padded + i] = innate.data[i * padded + j] = w[i * n + j];
      gain.data[i * padded + j] = alpha[i * n + j];
    }
  for (int i = kBias + 1; i < n; i++) x.data[i] = rate.data[i] = 0.1f;
  rate.data[kBias] = 1.0f;
  Random random(seed);
  const __m512i threshold = _mm512_set1_epi32(429496730);
  const __m512 unit = _mm512_set1_ps(1.0f / 429496730.0f);
  const __m512i below = _mm512_mullo_epi32(
      _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
      _mm512_set1_epi32(padded));
  __mmask16 inside[W];
  for (int v = 0; v < W; v++)
    inside[v] = n - 16 * v >= 16 ? 0xFFFF : static_cast<__mmask16>((1 << (n - 16 * v)) - 1);

  for (int trial = 0; trial < shape.trials; trial++) {
    alignas(64) uint32_t drawn[16];
    _mm512_store_si512(drawn, random.next());
    const int kind = drawn[0] >> 30;
    const int asked = answer[kind];
    float loss = 0, activity[kOutputs] = {0, 0};
    int choice = 0;
    for (int step = 0; step < shape.steps; step++) {
      __m512 sum[W], other[W];
      for (int v = 0; v < W; v++) sum[v] = other[v] = _mm512_setzero_ps();
      int j = 0;
      for (; j + 1 < n; j += 2) {
        const __m512 one = _mm512_set1_ps(rate.data[j]), two = _mm512_set1_ps(rate.data[j + 1]);
        for (int v = 0; v < W; v++) {
          const float* at = weight.data + j * padded + 16 * v;
          sum[v] = _mm512_fmadd_ps(_mm512_load_ps(at), one, sum[v]);
          other[v] = _mm512_fmadd_ps(_mm512_load_ps(at + padded), two, other[v]);
        }
      }
      if (j < n)
        for (int v = 0; v < W; v++)
          sum[v] = _mm512_fmadd_ps(_mm512_load_ps(weight.data + j * padded + 16 * v),
                                   _mm512_set1_ps(rate.data[j]), sum[v]);
      const bool noisy = step >= 2 && trial < shape.trials - 19;
      const __m512 keep = _mm512_set1_ps(0.8f), leak = _mm512_set1_ps(0.2f);
      uint16_t hits[W];
      for (int v = 0; v < W; v++) {
        __m512 noise = _mm512_setzero_ps();
        hits[v] = 0;
        if (noisy) {
          const __m512i word = random.next();
          const __mmask16 hit = _mm512_cmplt_epu32_mask(word, threshold) & inside[v];
          const __m512i centred = _mm512_sub_epi32(word, _mm512_set1_epi32(214748365));
          noise = _mm512_maskz_mul_ps(hit, _mm512_cvtepi32_ps(centred), unit);
          hits[v] = hit;
        }
        _mm512_store_ps(xi.data + 16 * v, noise);
        const __m512 total = _mm512_add_ps(sum[v], other[v]);
        const __m512 old = _mm512_load_ps(x.data + 16 * v);
        sum[v] = _mm512_add_ps(_mm512_fmadd_ps(old, keep, _mm512_mul_ps(total, leak)), noise);
        _mm512_store_ps(x.data + 16 * v, sum[v]);
      }
      scale *= 0.98f;
      for (int v = 0; v < W; v++)
        for (uint32_t left = hits[v]; left; left &= left - 1) {
          const int i = 16 * v + __builtin_ctz(left);
          const __m512 credit = _mm512_set1_ps(xi.data[i] * 0.98f / scale);
          for (int u = 0; u < W; u++) {
            float* at = elig.data + i * padded + 16 * u;
            const __m512 r = _mm512_load_ps(rate.data + 16 * u);
            _mm512_store_ps(at, _mm512_fmadd_ps(r, credit, _mm512_load_ps(at)));
          }
        }
      for (int v = 0; v < W; v++) _mm512_store_ps(rate.data + 16 * v, tanh16(sum[v]));
      for (int o = 0; o < kOutputs; o++) {
        const int i = n - kOutputs + o;
        rate.data[i] = 1.0f / (1.0f + std::exp(-x.data[i]));
      }
      for (int i = n; i < padded; i++) rate.data[i] = 0.0f;
      for (int line = 0; line < kInputs; line++)
        rate.data[line] = 3.0f * stimulus[(kind * shape.steps + step) * kInputs + line];
      rate.data[kBias] = 1.0f;
      const bool speaking = step >= shape.response_start && step < shape.response_stop;
      for (int o = 0; o < kOutputs; o++) {
        float& response = rate.data[n - kOutputs + o];
        if (speaking) {
          const float miss = response - (o == asked ? 0.9f : 0.1f);
          loss += miss * miss / (shape.response_stop - shape.response_start);
          activity[o] += response;
        } else {
          response = 0.0f;
        }
      }
      if (step == shape.feedback_start) {
        choice = activity[1] > activity[0];
        const float gate = -0.03f * baseline[kind] * (loss - baseline[kind]);
        for (int at = 0; at < matrix; at += 16) {
          const __m512 trace = _mm512_mul_ps(_mm512_load_ps(elig.data + at),
                                             _mm512_set1_ps(scale));
          _mm512_store_ps(elig.data + at, trace);
          if (trial <= 30) continue;
          __m512 change = _mm512_mul_ps(trace, _mm512_set1_ps(gate));
          change = _mm512_min_ps(change, _mm512_set1_ps(0.01f));
          change = _mm512_max_ps(change, _mm512_set1_ps(-0.01f));
          const __m512 learnt = _mm512_add_ps(_mm512_load_ps(p.data + at), change);
          _mm512_store_ps(p.data + at, learnt);
          const int i = at / padded, j = at % padded;
          const __mmask16 real = j + 16 <= n ? 0xFFFF : (1 << (n - j)) - 1;
          _mm512_mask_i32scatter_ps(weight.data + j * padded + i, real, below,
                                    _mm512_fmadd_ps(_mm512_load_ps(gain.data + at), learnt,
                                                    _mm512_load_ps(innate.data + at)),
                                    4);
        }
        scale = 1.0f;
        baseline[kind] = 0.9f * baseline[kind] + 0.1f * loss;
      }
      const bool told = step >= shape.feedback_start && step < shape.feedback_stop;
      for (int f = 0; f < kFeedback; f++) rate.data[kInputs + f] = told ? 3.0f * loss : 0.0f;
      for (int o = 0; o < kOutputs; o++)
        rate.data[kAction + o] = told && o == choice ? 3.0f : 0.0f;
    }
    loss_out[trial] = loss;
  }
}

using Life = void (*)(const Shape&, const float*, const float*, const float*, const int*, uint64_t,
                      float*);
constexpr Life kLives[] = {live<1>, live<2>, live<3>, live<4>, live<5>, live<6>, live<7>, live<8>};

}  // namespace

// answer_P4: right action of each of the four trial kinds, for every individual.
extern "C" int live_generation(const int* shape_, int population, int threads, const float* w_PNN,
                               const float* alpha_PNN, const float* stimulus_4TI,
                               const int* answer_P4, float* loss_PK) {
  const int n = shape_[0], vectors = (n + 15) / 16;
  if (vectors > 8) return 1;
  const Shape shape{n,         16 * vectors, shape_[1], shape_[2],
                    shape_[3], shape_[4],    shape_[5], shape_[6]};
  std::vector<std::thread> team;
  for (int t = 0; t < threads; t++)
    team.emplace_back([=] {
      for (int i = t; i < population; i += threads)
        kLives[vectors - 1](shape, w_PNN + size_t(i) * n * n, alpha_PNN + size_t(i) * n * n,
                            stimulus_4TI, answer_P4 + 4 * i, 1000003ull * (i / 2) + 1,
                            loss_PK + size_t(i) * shape.trials);
    });
  for (auto& worker : team) worker.join();
  return 0;
}
