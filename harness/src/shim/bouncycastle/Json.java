import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** As much of JSON (RFC 8259) as the shim protocol needs. */
final class Json {
    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    /** The object that stands on a line. */
    @SuppressWarnings("unchecked")
    static Map<String, Object> object(String line) {
        if (new Json(line).value() instanceof Map<?, ?> map) {
            return (Map<String, Object>) map;
        }
        throw new IllegalArgumentException("a request is an object");
    }

    /** Maps, lists, strings, numbers and booleans as JSON. */
    static String write(Object value) {
        StringBuilder out = new StringBuilder();
        write(value, out);
        return out.toString();
    }

    private static void write(Object value, StringBuilder out) {
        if (value instanceof Map<?, ?> map) {
            String before = "{";
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                out.append(before);
                write(entry.getKey(), out);
                write(entry.getValue(), out.append(':'));
                before = ",";
            }
            out.append(map.isEmpty() ? "{}" : "}");
        } else if (value instanceof Iterable<?> list) {
            out.append('[');
            String before = "";
            for (Object element : list) {
                write(element, out.append(before));
                before = ",";
            }
            out.append(']');
        } else if (value instanceof CharSequence string) {
            out.append('"');
            string.chars().forEach(one -> {
                if (one == '"' || one == '\\') {
                    out.append('\\').append((char) one);
                } else if (one < ' ' || one > '~') {
                    out.append(String.format("\\u%04x", one));
                } else {
                    out.append((char) one);
                }
            });
            out.append('"');
        } else {
            out.append(value);
        }
    }

    private Object value() {
        switch (next()) {
            case '{':
                Map<String, Object> map = new LinkedHashMap<>();
                while (more('}')) {
                    String name = string();
                    expect(':');
                    map.put(name, value());
                }
                return map;
            case '[':
                List<Object> list = new ArrayList<>();
                while (more(']')) {
                    list.add(value());
                }
                return list;
            case '"':
                return string();
            default:
                return word();
        }
    }

    /** Whether another element comes; takes what opens, separates and closes. */
    private boolean more(char close) {
        boolean closed = next() == close;
        at++;
        if (!closed && next() == close) {
            closed = true;
            at++;
        }
        return !closed;
    }

    private String string() {
        expect('"');
        StringBuilder out = new StringBuilder();
        while (text.charAt(at) != '"') {
            char one = text.charAt(at++);
            if (one == '\\') {
                char escaped = text.charAt(at++);
                int control = "bfnrt".indexOf(escaped);
                if (escaped == 'u') {
                    one = (char) Integer.parseInt(text.substring(at, at += 4), 16);
                } else {
                    one = control < 0 ? escaped : "\b\f\n\r\t".charAt(control);
                }
            }
            out.append(one);
        }
        at++;
        return out.toString();
    }

    private Object word() {
        int start = at;
        while (at < text.length() && ",]} \t".indexOf(text.charAt(at)) < 0) {
            at++;
        }
        String word = text.substring(start, at);
        return switch (word) {
            case "true" -> true;
            case "false" -> false;
            case "null" -> "";
            default -> Long.valueOf(word);
        };
    }

    private char next() {
        while (Character.isWhitespace(text.charAt(at))) {
            at++;
        }
        return text.charAt(at);
    }

    private void expect(char wanted) {
        if (next() != wanted) {
            throw new IllegalArgumentException("expected " + wanted + " at " + at);
        }
        at++;
    }
}
