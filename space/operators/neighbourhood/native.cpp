// Sums and products over k×k neighbourhoods, on CPUs.
//
// Maps are (images, heads, channels, height, width) with any strides, weights the same with k·k taps
// in row-major order for the channels. A vector of columns is computed at a time, in registers over all
// taps, so that each weight is read once and each result written once: what bounds it is memory
// where weights are many, and multiplications where channels are.
//
// A thread works on a span of rows of one head of one image. Their sources lie in a buffer with
// zeros around them, so that no tap asks where the map ends.

#include <algorithm>
#include <cstdint>
#include <vector>

namespace {

using Index = std::int64_t;
constexpr Index kBytes = 32;  // of a vector
constexpr Index kBlock = 4;   // channels that share what is loaded of the weights
template <typename T>
constexpr Index kLanes = kBytes / sizeof(T);  // columns at a time

struct Map {
  Index images, heads, channels, height, width, kernel;
};
struct Strides {  // in elements; `channel` is that of the taps in weights
  Index image, head, channel, row, column;
};

template <typename T>
struct Vector {
  typedef T type __attribute__((vector_size(kBytes), aligned(alignof(T)), may_alias));
};
template <typename T>
using Lanes = typename Vector<T>::type;

template <typename T>
Lanes<T> load(const T* from) {
  return *reinterpret_cast<const Lanes<T>*>(from);
}
template <typename T>
void store(T* to, Lanes<T> values) {
  *reinterpret_cast<Lanes<T>*>(to) = values;
}

template <typename T>
Index whole_lanes(Index width) {
  return (width + kLanes<T> - 1) / kLanes<T> * kLanes<T>;
}

// The channels of a head over a span of rows, with `border` zeros on all sides.
template <typename T>
class Padded {
 public:
  Padded(const Map& map, Index rows, Index border)
      : border_(border),
        rows_(rows + 2 * border),
        pitch_(whole_lanes<T>(map.width) + 2 * border),
        values_(map.channels * rows_ * pitch_, T(0)) {}

  Index plane() const { return rows_ * pitch_; }
  Index pitch() const { return pitch_; }

  // What the first tap of the target at (row of the span, column) reads.
  const T* at(Index channel, Index row, Index column) const {
    return values_.data() + channel * plane() + row * pitch_ + column;
  }

  void fill(const T* from, const Strides& strides, const Map& map, Index top) {
    for (Index row = 0; row < rows_; ++row) {
      const Index source = top - border_ + row;
      T* to = values_.data() + row * pitch_ + border_;
      if (source < 0 || source >= map.height) {
        for (Index c = 0; c < map.channels; ++c) std::fill_n(to + c * plane(), map.width, T(0));
      } else if (strides.column == 1) {
        for (Index c = 0; c < map.channels; ++c)
          std::copy_n(from + c * strides.channel + source * strides.row, map.width, to + c * plane());
      } else {
        const T* line = from + source * strides.row;
        for (Index q = 0; q < map.width; ++q)
          for (Index c = 0; c < map.channels; ++c)
            to[c * plane() + q] = line[q * strides.column + c * strides.channel];
      }
    }
  }

 private:
  Index border_, rows_, pitch_;
  std::vector<T> values_;
};

// A row of `count` channels (or taps) into a map, from lines of `pitch`.
template <typename T>
void put_row(const T* lines, Index pitch, T* to, const Strides& strides, Index count, Index width) {
  if (strides.column == 1) {
    for (Index c = 0; c < count; ++c) std::copy_n(lines + c * pitch, width, to + c * strides.channel);
    return;
  }
  for (Index q = 0; q < width; ++q)
    for (Index c = 0; c < count; ++c) to[q * strides.column + c * strides.channel] = lines[c * pitch + q];
}

// How the work of a head of an image is cut where there are fewer of these than threads need.
struct Spans {
  Index rows, count;
  Spans(const Map& map, Index units, int threads) {
    const Index wanted = units >= 2 * threads ? 1 : (2 * threads + units - 1) / std::max<Index>(units, 1);
    rows = std::max<Index>(1, (map.height + wanted - 1) / wanted);
    count = (map.height + rows - 1) / rows;
  }
};

// The weights that a row of results needs, a line for each tap. Scattered, the tap (i, j) of the
// result at (row, column) is that of the position (row − i, column − j), and 0 outside the map.
template <typename T, bool kScatter>
void gather_weights(T* lines, Index pitch, const T* from, const Strides& strides, const Map& map, Index row) {
  const Index half = map.kernel / 2;
  for (Index tap = 0; tap < map.kernel * map.kernel; ++tap) {
    const Index down = kScatter ? tap / map.kernel - half : 0;
    const Index right = kScatter ? tap % map.kernel - half : 0;
    T* line = lines + tap * pitch;
    if (row - down < 0 || row - down >= map.height) {
      std::fill_n(line, map.width, T(0));
      continue;
    }
    const T* at = from + tap * strides.channel + (row - down) * strides.row;
    for (Index q = 0; q < map.width; ++q) {
      const Index position = q - right;
      line[q] = position < 0 || position >= map.width ? T(0) : at[position * strides.column];
    }
  }
}

// kChannels channels of a vector of columns of a row.
template <typename T, int kChannels, bool kScatter>
void mix_columns(const T* weights, Index pitch, const T* sources, Index plane, Index source_pitch,
                 Index kernel, T* to, Index to_pitch) {
  Lanes<T> totals[kChannels] = {};
  for (Index i = 0; i < kernel; ++i)
    for (Index j = 0; j < kernel; ++j) {
      const Lanes<T> weight = load(weights + (i * kernel + j) * pitch);
      const Index down = kScatter ? kernel - 1 - i : i, right = kScatter ? kernel - 1 - j : j;
      const T* at = sources + down * source_pitch + right;
      for (int c = 0; c < kChannels; ++c) totals[c] += weight * load(at + c * plane);
    }
  for (int c = 0; c < kChannels; ++c) store(to + c * to_pitch, totals[c]);
}

// y[p] = Σ_t w[t, p] · x[p + t], or scattered y[q] = Σ_t w[t, q − t] · x[q − t].
template <typename T, bool kScatter>
void mix(const T* w, const Strides& ws, const T* x, const Strides& xs, T* y, const Strides& ys,
         const Map& map, int threads) {
  const Index units = map.images * map.heads, wide = whole_lanes<T>(map.width);
  const Spans spans(map, units, threads);
#pragma omp parallel num_threads(threads)
  {
    Padded<T> sources(map, spans.rows, map.kernel / 2);
    std::vector<T> gathered(map.kernel * map.kernel * wide, T(0)), results(map.channels * wide);
#pragma omp for collapse(2) schedule(static)
    for (Index unit = 0; unit < units; ++unit)
      for (Index span = 0; span < spans.count; ++span) {
        const Index image = unit / map.heads, head = unit % map.heads, top = span * spans.rows;
        sources.fill(x + image * xs.image + head * xs.head, xs, map, top);
        const T* of_head = w + image * ws.image + head * ws.head;
        for (Index row = top; row < std::min(map.height, top + spans.rows); ++row) {
          // Where weights lie in rows they are read where they are, past the end of a row into the
          // next one: what is computed of that lies outside the map, and is not written.
          const bool in_place = !kScatter && ws.column == 1 && ws.row == map.width && row * ws.row + wide <= map.height * ws.row;
          if (!in_place) gather_weights<T, kScatter>(gathered.data(), wide, of_head, ws, map, row);
          const T* weights = in_place ? of_head + row * ws.row : gathered.data();
          const Index pitch = in_place ? ws.channel : wide;
          for (Index column = 0; column < wide; column += kLanes<T>) {
            Index c = 0;
            for (; c + kBlock <= map.channels; c += kBlock)
              mix_columns<T, kBlock, kScatter>(weights + column, pitch, sources.at(c, row - top, column), sources.plane(),
                                               sources.pitch(), map.kernel, results.data() + c * wide + column, wide);
            for (; c < map.channels; ++c)
              mix_columns<T, 1, kScatter>(weights + column, pitch, sources.at(c, row - top, column), sources.plane(),
                                          sources.pitch(), map.kernel, results.data() + c * wide + column, wide);
          }
          T* to = y + image * ys.image + head * ys.head + row * ys.row;
          put_row(results.data(), wide, to, ys, map.channels, map.width);
        }
      }
  }
}

// kTaps taps of a row of the kernel, at a vector of columns, added to what is there.
template <typename T, int kTaps>
void multiply_columns(const T* targets, Index target_plane, const T* sources, Index source_plane,
                      Index channels, T* to, Index pitch) {
  Lanes<T> totals[kTaps];
  for (int j = 0; j < kTaps; ++j) totals[j] = load(to + j * pitch);
  for (Index c = 0; c < channels; ++c) {
    const Lanes<T> target = load(targets + c * target_plane);
    for (int j = 0; j < kTaps; ++j) totals[j] += target * load(sources + c * source_plane + j);
  }
  for (int j = 0; j < kTaps; ++j) store(to + j * pitch, totals[j]);
}

// All taps of a row of results at a vector of columns.
template <typename T>
void multiply_taps(const Padded<T>& targets, const Padded<T>& sources, const Map& map, Index row,
                   Index column, T* to, Index pitch) {
  const T* target = targets.at(0, row, column);
  for (Index i = 0; i < map.kernel; ++i) {
    const T* source = sources.at(0, row + i, column);
    T* taps = to + i * map.kernel * pitch + column;
    Index j = 0;
    for (; j + 7 <= map.kernel; j += 7)
      multiply_columns<T, 7>(target, targets.plane(), source + j, sources.plane(), map.channels, taps + j * pitch, pitch);
    for (; j + 3 <= map.kernel; j += 3)
      multiply_columns<T, 3>(target, targets.plane(), source + j, sources.plane(), map.channels, taps + j * pitch, pitch);
    for (; j < map.kernel; ++j)
      multiply_columns<T, 1>(target, targets.plane(), source + j, sources.plane(), map.channels, taps + j * pitch, pitch);
  }
}

// d[t, p] = Σ_c a[c, p] · x[c, p + t]; shared, over all images.
template <typename T>
void multiply(const T* a, const Strides& as, const T* x, const Strides& xs, T* d, const Strides& ds,
              const Map& map, bool shared, int threads) {
  const Index units = (shared ? 1 : map.images) * map.heads, wide = whole_lanes<T>(map.width);
  const Index taps = map.kernel * map.kernel;
  const Spans spans(map, units, threads);
#pragma omp parallel num_threads(threads)
  {
    Padded<T> targets(map, spans.rows, 0), sources(map, spans.rows, map.kernel / 2);
    std::vector<T> results(spans.rows * taps * wide);
#pragma omp for collapse(2) schedule(static)
    for (Index unit = 0; unit < units; ++unit)
      for (Index span = 0; span < spans.count; ++span) {
        const Index head = unit % map.heads, top = span * spans.rows;
        const Index rows = std::min(map.height - top, spans.rows);
        const Index first = shared ? 0 : unit / map.heads, end = shared ? map.images : first + 1;
        std::fill(results.begin(), results.end(), T(0));
        for (Index image = first; image < end; ++image) {
          targets.fill(a + image * as.image + head * as.head, as, map, top);
          sources.fill(x + image * xs.image + head * xs.head, xs, map, top);
          for (Index row = 0; row < rows; ++row)
            for (Index column = 0; column < wide; column += kLanes<T>)
              multiply_taps(targets, sources, map, row, column, results.data() + row * taps * wide, wide);
        }
        T* to = d + (shared ? 0 : first) * ds.image + head * ds.head;
        for (Index row = 0; row < rows; ++row)
          put_row(results.data() + row * taps * wide, wide, to + (top + row) * ds.row, ds, taps, map.width);
      }
  }
}

}  // namespace

#define MIXSPACE_FUNCTIONS(T, NAME)                                                                     \
  void sum_##NAME(const T* w, const Strides* ws, const T* x, const Strides* xs, T* y,                   \
                  const Strides* ys, const Map* map, int threads) {                                     \
    mix<T, false>(w, *ws, x, *xs, y, *ys, *map, threads);                                               \
  }                                                                                                     \
  void scatter_##NAME(const T* w, const Strides* ws, const T* y, const Strides* ys, T* x,               \
                      const Strides* xs, const Map* map, int threads) {                                 \
    mix<T, true>(w, *ws, y, *ys, x, *xs, *map, threads);                                                \
  }                                                                                                     \
  void dot_##NAME(const T* a, const Strides* as, const T* x, const Strides* xs, T* d,                   \
                  const Strides* ds, const Map* map, int shared, int threads) {                         \
    multiply<T>(a, *as, x, *xs, d, *ds, *map, shared != 0, threads);                                    \
  }

extern "C" {
MIXSPACE_FUNCTIONS(float, float32)
MIXSPACE_FUNCTIONS(double, float64)
}
