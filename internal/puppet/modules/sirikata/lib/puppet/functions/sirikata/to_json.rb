# frozen_string_literal: true

require 'json'

# Renders data as indented JSON with a final newline. (Puppet itself has no such
# function, and a module from the Forge would have to be on every host.)
Puppet::Functions.create_function(:'sirikata::to_json') do
  dispatch :render do
    param 'Data', :data
    return_type 'String'
  end

  def render(data)
    "#{JSON.pretty_generate(data)}\n"
  end
end
